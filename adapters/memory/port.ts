import type { ArtifactRef } from '../../core/spec/artifact.js';

/** What the next forecast of a region can start from. All of it can be lost: it is then chosen or trained anew. */
export interface RegionMemory {
  /** Members and weights by service: a list of `ServiceChoice`. */
  choices?: ArtifactRef;
  /** The region's trained network: an `LstmModel`. */
  lstm?: ArtifactRef;
}

/** Which artifacts are the newest of a region. Names point, the artifact store holds. */
export interface ForecastMemory {
  /** Empty where nothing is known, or what is known cannot be read. */
  recall(region: string): Promise<RegionMemory>;
  /** Replaces what is given and keeps the rest. */
  remember(region: string, memory: RegionMemory): Promise<void>;
}
