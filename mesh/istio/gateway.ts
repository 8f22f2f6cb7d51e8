import type { RegionSpec } from '../../core/spec/region.js';
import type { IstioObject, IstioPlace } from './names.js';
import { EDGE, NETWORKING } from './names.js';

/** Where users come in: at the port of the region's ingress, in plain text unless the region has certificates. */
export function gateway(region: RegionSpec, place: IstioPlace): IstioObject {
  const certificates = region.tls?.ingress;
  const number = ingressPort(region);
  const server =
    certificates === undefined
      ? { port: { number, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }
      : {
          port: { number, name: 'https', protocol: 'HTTPS' },
          hosts: ['*'],
          tls: {
            mode: 'SIMPLE',
            serverCertificate: certificates.certificateFile,
            privateKey: certificates.privateKeyFile,
            minProtocolVersion: 'TLSV1_2',
          },
        };
  return {
    apiVersion: NETWORKING,
    kind: 'Gateway',
    name: EDGE,
    spec: { selector: { ...place.gatewayLabels }, servers: [server] },
  };
}

export function ingressPort(region: RegionSpec): number {
  return region.delivery.hosts[0]?.proxy.ingress.port ?? 8080;
}
