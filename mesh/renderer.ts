import type { FileSet } from '../core/spec/artifact.js';
import type { LiveMesh } from '../core/spec/live.js';
import type { HostSpec, RegionSpec } from '../core/spec/region.js';

/** One way to say a live mesh in a proxy's own configuration. Text out, nothing run. */
export interface MeshRenderer {
  /** Everything one host's proxy reads, by path under the host's directory. */
  render(live: LiveMesh, region: RegionSpec, host: HostSpec): FileSet;
  /** The same as one document, in the form in which the proxy's own validation reads all of it. */
  flatten(files: FileSet): string;
  /** Paths of `files` that may change while the proxy runs, in the order in which they must be moved into place. */
  managedOrder(files: FileSet): readonly string[];
  /** Field by field, where the proxy's own dump differs from what should run. Empty: equal. */
  compareReadBack(live: LiveMesh, host: HostSpec, dump: string): readonly Mismatch[];
}

/** A field that runs otherwise than it should. `actual` is `undefined` where the proxy has nothing of the kind. */
export interface Mismatch {
  host: string;
  service: string;
  /** A setting field, `weight.<region>`, `endpoints`, `unplanned`, or the name of an instance's own listener. */
  field: string;
  expected: number | string | undefined;
  actual: number | string | undefined;
}
