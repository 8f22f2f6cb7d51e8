/** What a run may hand on to the next, as JSON. */
export const MAX_STATE_BYTES = 64 * 1024;

/** Of the JSON in UTF-8, which is what travels. */
export function bytesOf(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
