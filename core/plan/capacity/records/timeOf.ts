import { shown } from '../../../graph/sources/numbers.js';
import type { JsonPart } from '../../../graph/sources/jsonText.js';
import { parseInstant } from '../../../spec/instant.js';

/** Milliseconds since the epoch of a time that a tool wrote; `null`, and a problem at its place, where it is none. */
export function timeOf(value: unknown, path: readonly PropertyKey[], part: JsonPart): number | null {
  const at = typeof value === 'string' ? parseInstant(value) : null;
  if (at === null) part.fail('bad-value', path, `${shown(value)} is not a time`, 'e.g. "2026-03-01T08:00:00Z"');
  return at;
}
