/** A mapping of a document as written, not yet checked. */
export type Raw = Readonly<Record<string, unknown>>;
export type Path = readonly PropertyKey[];

/** An item of a list in the document with its path; items of the wrong type are left to the schema. */
export interface Item {
  path: Path;
  value: Raw;
}

/** The mappings of the list at `key`. */
export function items(parent: Raw, key: string, prefix: Path = []): Item[] {
  const list = parent[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown, index) => (isRecord(value) ? [{ path: [...prefix, key, index], value }] : []));
}

/** The mapping at `key`; an empty one where there is none. */
export function record(parent: Raw, key: string): Raw {
  const value = parent[key];
  return isRecord(value) ? value : {};
}

export function isRecord(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
