import type { FileSet } from '../core/spec/artifact.js';
import type { DeploymentRequest } from '../core/spec/deployment.js';
import type { RegionSpec } from '../core/spec/region.js';

export interface DeliveryInput {
  region: RegionSpec;
  deployment: DeploymentRequest;
  /** By host name: the files of the release (`bootstrap.yaml`, `dyn/….yaml`, `validate.yaml`). */
  releases: Readonly<Record<string, FileSet>>;
}

/** Text out, nothing run. Throws a DeliveryRenderError for input that cannot be carried safely. */
export type DeliveryRenderer = (input: DeliveryInput) => FileSet;

export class DeliveryRenderError extends Error {
  override readonly name = 'DeliveryRenderError';
}
