import type { ArtifactRef } from '../../core/spec/artifact.js';

/** The store has nothing under this hash. */
export class ArtifactMissingError extends Error {
  override readonly name = 'ArtifactMissingError';
  readonly ref: ArtifactRef;

  constructor(ref: ArtifactRef) {
    super(`${ref.kind} ${ref.hash} is not in the artifact store`);
    this.ref = ref;
  }
}

/** What the store has under this hash is not what was put there. Putting the same content again mends it. */
export class ArtifactCorruptError extends Error {
  override readonly name = 'ArtifactCorruptError';
  readonly ref: ArtifactRef;

  constructor(ref: ArtifactRef) {
    super(`${ref.kind} ${ref.hash} is damaged in the artifact store: its content does not match its hash`);
    this.ref = ref;
  }
}
