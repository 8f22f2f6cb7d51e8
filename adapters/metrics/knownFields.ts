/** The fields of a row: a value that is missing has none. */
export function knownFields(fields: Readonly<Record<string, number | null | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, number] => Number.isFinite(field[1])),
  );
}
