/** Relative POSIX path → text. Rendering is deterministic: the same input gives the same bytes. */
export type FileSet = Readonly<Record<string, string>>;

/** A file set in the artifact store. Workflows carry these, never bodies. */
export interface ArtifactRef {
  kind: string;
  /** SHA-256, hex, of the canonical form. */
  hash: string;
  bytes: number;
}
