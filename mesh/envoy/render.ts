import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { HostSpec, RegionSpec } from '../../core/spec/region.js';
import { renderBootstrap } from './bootstrap.js';
import { hasUnplanned, renderClusters } from './clusters.js';
import { renderEndpoints, renderUnplanned } from './endpoints.js';
import { inboundOf, renderInboundRoutes } from './inbound.js';
import { renderListeners } from './listeners.js';
import { FILES, unplannedName } from './names.js';
import { renderIngressRoutes, renderMeshRoutes } from './routes.js';
import { renderSecrets } from './tls.js';

/**
 * Everything that the Envoy of one host reads, by path under the host's directory. The same input gives the same
 * bytes, and a setting that changes touches only the files that carry it: weights the endpoints' file of their
 * service, limits and time-outs the routes, breakers and health the clusters.
 */
export function render(live: LiveMesh, region: RegionSpec, host: HostSpec): FileSet {
  const inbound = inboundOf(live, host).filter(({ service }) => service.protocol !== 'tcp');
  return {
    [FILES.bootstrap]: renderBootstrap(region, host),
    [FILES.clusters]: renderClusters(live, region, host),
    ...Object.fromEntries(live.services.map((s) => [FILES.endpoints(s.service), renderEndpoints(s, region)])),
    ...Object.fromEntries(
      live.services
        .filter(hasUnplanned)
        .map((s) => [FILES.endpoints(unplannedName(s.service)), renderUnplanned(s, region)]),
    ),
    [FILES.listeners]: renderListeners(live, region, host),
    [FILES.ingressRoutes]: renderIngressRoutes(live, region),
    [FILES.meshRoutes]: renderMeshRoutes(live, region),
    ...Object.fromEntries(
      inbound.map(({ entry, service }) => [FILES.inboundRoutes(entry), renderInboundRoutes(entry, service)]),
    ),
    ...renderSecrets(region),
  };
}

/** What is named must exist before it is named: secrets, endpoints, clusters, routes, listeners. */
const ORDER = [/^dyn\/sds-/, /^dyn\/eds-/, /^dyn\/cds\.yaml$/, /^dyn\/rds-/, /^dyn\/lds\.yaml$/];

/** The files that may change under a running Envoy, in the order in which they must be moved into its folder. */
export function managedOrder(files: FileSet): readonly string[] {
  const rank = (path: string): number => ORDER.findIndex((pattern) => pattern.test(path));
  return Object.keys(files)
    .filter((path) => rank(path) >= 0)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
