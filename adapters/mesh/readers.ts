import type { ProxyTarget } from './port.js';
import type { ProxySnapshot } from '../../core/spec/observation.js';
import type { MeshKind, RegionSpec } from '../../core/spec/region.js';
import {
  ADMIN_CLUSTERS_PATH,
  ADMIN_CONFIG_DUMP_PATH,
  ADMIN_STATS_PATH,
  parseSnapshot,
} from '../../mesh/envoy/stats.js';

/** Where a mesh's proxies tell what they run and what they have counted. */
export interface ProxyReader {
  /** Admin path of the configuration that the proxy runs. */
  dumpPath: string;
  snapshot(target: ProxyTarget, region: RegionSpec, nowMs: () => number, signal: AbortSignal): Promise<ProxySnapshot>;
}

export const PROXY_READERS: Readonly<Record<MeshKind, ProxyReader>> = {
  envoy: { dumpPath: ADMIN_CONFIG_DUMP_PATH, snapshot: envoySnapshot },
};

async function envoySnapshot(
  target: ProxyTarget,
  region: RegionSpec,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<ProxySnapshot> {
  const [stats, clusters] = await Promise.all([
    target.admin(ADMIN_STATS_PATH, signal),
    target.admin(ADMIN_CLUSTERS_PATH, signal),
  ]);
  return parseSnapshot(target.host, nowMs(), region, stats, clusters);
}
