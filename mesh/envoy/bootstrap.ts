import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import { toYaml } from '../document.js';
import type { Tree } from '../document.js';
import { socketAddress } from './endpoints.js';
import { FILES, INGRESS, TYPES, watched } from './names.js';

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
      layered_runtime: {
        layers: [
          { name: 'edge', static_layer: { [`envoy.resource_limits.listener.${INGRESS}.connection_limit`]: 10_000 } },
          { name: 'admin', admin_layer: {} },
        ],
      },
      overload_manager: overloadManager(),
    },
    `Envoy of ${host.name} in ${region.name}`,
  );
}

/** Envoy's advice for edges. Its own heap, not the machine's memory; ten times what 1,000 services take. */
const MAX_HEAP_BYTES = 2_147_483_648;

/** Gives memory back before it runs out, and takes no new requests where that is not enough. */
function overloadManager(): Tree {
  const heap = 'envoy.resource_monitors.fixed_heap';
  const at = (value: number): Tree => [{ name: heap, threshold: { value } }];
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      { name: heap, typed_config: { '@type': TYPES.fixedHeap, max_heap_size_bytes: MAX_HEAP_BYTES } },
      {
        name: 'envoy.resource_monitors.global_downstream_max_connections',
        typed_config: { '@type': TYPES.downstreamConnections, max_active_downstream_connections: 50_000 },
      },
    ],
    actions: [
      { name: 'envoy.overload_actions.shrink_heap', triggers: at(0.95) },
      { name: 'envoy.overload_actions.stop_accepting_requests', triggers: at(0.98) },
    ],
  };
}
