export type Value = number | string | undefined;

/** Rates pass through whole tokens and nanoseconds, so they may differ in the ninth digit. */
export function sameValue(expected: Value, actual: Value): boolean {
  if (typeof expected !== 'number' || typeof actual !== 'number') return expected === actual;
  return Math.abs(expected - actual) <= 1e-6 * Math.max(1, Math.abs(expected));
}
