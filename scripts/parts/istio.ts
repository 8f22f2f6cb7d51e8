import { existsSync } from 'node:fs';
import path from 'node:path';
import { builtFolder } from './goModule.js';
import type { GoModule } from './goModule.js';
import { cacheDirectory } from './locate.js';

const CRDS = 'manifests/charts/base/files/crd-all.gen.yaml';

/** istiod in two forms (from a folder, and the stock one for a cluster) and istioctl, of one version. */
export const istioModule: GoModule = {
  name: 'istio',
  folder: 'istio',
  versionOf: 'istio.io/istio',
  // Those of Istio's own releases.
  tags: ['vtprotobuf', 'disable_pgv'],
  programs: [
    { name: 'istiod-files', package: '.' },
    { name: 'pilot-discovery', package: 'istio.io/istio/pilot/cmd/pilot-discovery' },
    { name: 'istioctl', package: 'istio.io/istio/istioctl/cmd/istioctl' },
  ],
  files: [{ module: 'istio.io/istio', file: CRDS }],
  minutes: 6,
};

/** Istio's CRDs, of the version of the built istiod. Throws when they were not brought. */
export function locateIstioCrds(cache: string = cacheDirectory()): string {
  const file = path.join(builtFolder(istioModule, cache), path.basename(CRDS));
  if (existsSync(file)) return file;
  throw new Error(`Istio's CRDs are not in ${cache}. "npm run test:parts" brings them.`);
}
