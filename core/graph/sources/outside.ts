/** Sources that bring requests from outside the mesh: a caller without a sidecar, and ingress gateways. */
const GATEWAY = /(^|[-_.])(ingress-?gateway|istio-ingress|gateway-istio)([-_.]|$)/;

export function isOutside(caller: string): boolean {
  return caller === '' || caller === 'unknown' || GATEWAY.test(caller);
}
