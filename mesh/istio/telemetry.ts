import type { IstioObject, IstioPlace } from './names.js';
import { MANAGED_BY } from './names.js';

/**
 * A line in the log for what failed alone. Request metrics stay what the mesh's own default is, unless a provider is
 * named: they need a filter that Istio's build of Envoy has and a stock Envoy refuses together with its listener.
 */
export function telemetry(place: IstioPlace): IstioObject {
  const { metricsProvider } = place;
  return {
    apiVersion: 'telemetry.istio.io/v1',
    kind: 'Telemetry',
    name: MANAGED_BY['app.kubernetes.io/managed-by'],
    spec: {
      accessLogging: [{ providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= 500' } }],
      ...(metricsProvider === undefined ? {} : { metrics: [{ providers: [{ name: metricsProvider }] }] }),
    },
  };
}
