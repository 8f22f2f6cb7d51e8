import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import { toYaml } from './document.js';
import { socketAddress } from './endpoints.js';
import { FILES, TYPES, watched } from './names.js';

/** What Envoy is started with. Of host and region only: nothing that changes while it runs, so that it never restarts. */
export function renderBootstrap(region: RegionSpec, host: HostSpec): string {
  return toYaml(
    {
      node: {
        id: host.name,
        cluster: region.name,
        locality: { region: region.locality.region, zone: host.zone },
      },
      admin: { address: socketAddress(host.proxy.admin), ignore_global_conn_limit: true },
      // Counters are read as differences over seconds; the default of 5 s would blur them.
      stats_flush_interval: '1s',
      dynamic_resources: {
        cds_config: watched(host, FILES.clusters),
        lds_config: watched(host, FILES.listeners),
      },
      layered_runtime: { layers: [{ name: 'admin', admin_layer: {} }] },
      overload_manager: {
        resource_monitors: [
          {
            name: 'envoy.resource_monitors.global_downstream_max_connections',
            typed_config: { '@type': TYPES.downstreamConnections, max_active_downstream_connections: 50_000 },
          },
        ],
      },
    },
    `Envoy of ${host.name} in ${region.name}`,
  );
}
