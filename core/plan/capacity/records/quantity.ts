const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes' API: `250m`, `2`, `1.5Gi`, `1e3`; `null` when it is none, or below zero. */
export function quantityOf(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : value;
  const match =
    typeof text === 'string' ? /^\+?(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,3})|([a-zA-Z]*))$/.exec(text) : null;
  if (match === null) return null;
  const [, digits = '', exponent, suffix = ''] = match;
  const factor = exponent === undefined ? SUFFIXES[suffix] : 10 ** Number(exponent);
  const number = factor === undefined || !Object.hasOwn(SUFFIXES, suffix) ? NaN : Number(digits) * factor;
  return number >= 0 && number < Infinity ? number : null;
}
