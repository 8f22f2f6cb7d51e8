import type { ArtifactRef, FileSet } from '../../core/spec/artifact.js';

/** Content-addressed store of file sets and JSON documents. Putting the same content twice is a no-op. */
export interface ArtifactStore {
  putFiles(kind: string, files: FileSet): Promise<ArtifactRef>;
  /** Throws ArtifactMissingError when the store does not have it, ArtifactCorruptError when its bytes do not match. */
  getFiles(ref: ArtifactRef): Promise<FileSet>;
  putJson(kind: string, value: unknown): Promise<ArtifactRef>;
  getJson<T>(ref: ArtifactRef): Promise<T>;
}
