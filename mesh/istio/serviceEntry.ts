import type { LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { isIp } from './addresses.js';
import type { IstioObject, IstioPlace } from './names.js';
import { NETWORKING, WORKLOAD_LABEL, hostOf, portOf } from './names.js';
import { placesOf, rankLabels } from './places.js';

/** Where a service is answered: its planned instances by zone, and each neighbour's gateway as one endpoint. */
export function serviceEntry(service: LiveService, region: RegionSpec, place: IstioPlace): IstioObject {
  const places = placesOf(service, region);
  const port = portOf(service);
  const sockets = places.flatMap((one) => one.sockets);
  return {
    apiVersion: NETWORKING,
    kind: 'ServiceEntry',
    name: service.service,
    spec: {
      hosts: [hostOf(service.service, place)],
      location: 'MESH_INTERNAL',
      resolution: sockets.every(({ address }) => isIp(address)) ? 'STATIC' : 'DNS',
      ports: [port],
      endpoints: places.flatMap((one) =>
        one.sockets.map((socket) => ({
          address: socket.address,
          ports: { [port.name]: socket.port },
          locality: one.locality,
          labels: { [WORKLOAD_LABEL]: service.service, ...rankLabels(one, places) },
        })),
      ),
    },
  };
}
