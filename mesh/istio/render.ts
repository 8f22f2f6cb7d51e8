import type { FileSet } from '../../core/spec/artifact.js';
import type { LiveMesh } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { destinationRule } from './destinationRule.js';
import { callerRepeats, edgeRateLimits, inboundLimits } from './envoyFilter.js';
import { gateway } from './gateway.js';
import { ISTIO_FILES, objectsFile, placeOf } from './names.js';
import type { IstioObject, IstioOptions } from './names.js';
import { serviceEntry } from './serviceEntry.js';
import { sidecar } from './sidecar.js';
import { telemetry } from './telemetry.js';
import { edgeVirtualService, meshVirtualService } from './virtualService.js';

/**
 * Everything that Istio is told of a region, one file a kind of object; docs/istio.md says what stands where. The
 * same mesh gives the same bytes, whatever the order of its services.
 */
export function renderIstio(mesh: LiveMesh, region: RegionSpec, options: IstioOptions = {}): FileSet {
  const place = placeOf(options);
  const services = [...mesh.services].sort((a, b) => (a.service < b.service ? -1 : 1));
  const live = { ...mesh, services };
  const file = (path: string, objects: readonly (IstioObject | undefined)[], head: string): FileSet =>
    objectsFile(
      path,
      objects.filter((object) => object !== undefined),
      place,
      head,
    );
  return {
    ...file(
      ISTIO_FILES.serviceEntries,
      services.map((one) => serviceEntry(one, region, place)),
      'where it is answered',
    ),
    ...file(
      ISTIO_FILES.destinationRules,
      services.map((one) => destinationRule(one, region, place)),
      'how it is called',
    ),
    ...file(ISTIO_FILES.gateway, [gateway(region, place)], 'where users come in'),
    ...file(
      ISTIO_FILES.virtualServices,
      [edgeVirtualService(live, place), ...services.map((one) => meshVirtualService(one, place))],
      'how long it may take and what is repeated',
    ),
    ...file(
      ISTIO_FILES.sidecars,
      services.map((one) => sidecar(one, live, place)),
      'what its own proxy holds',
    ),
    ...file(
      ISTIO_FILES.envoyFilters,
      [edgeRateLimits(live, place), callerRepeats(live), ...services.map((one) => inboundLimits(one, region))],
      'what Istio has no word for',
    ),
    ...file(ISTIO_FILES.telemetry, [telemetry(place)], 'what is told of requests'),
  };
}
