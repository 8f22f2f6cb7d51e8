/** No counter grows so far: what is larger was not counted. */
const LARGEST = 1e18;

/** A count or rate, also where it is written as text, as Kiali and 64-bit fields of Protobuf's JSON are; else null. */
export function countOf(value: unknown): number | null {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^\s*\d/.test(value) ? Number(value) : NaN;
  return number >= 0 && number <= LARGEST ? number : null;
}

/** What a person gets to see of a value that is wrong. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'missing' : typeof value === 'number' ? String(value) : jsonOf(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function jsonOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
