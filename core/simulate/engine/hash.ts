// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const { imul, log, sqrt, cos, PI } = Math;

/**
 * Chance by key instead of by stream: every draw is a hash of what it is for (which user's request, which call of it,
 * which attempt, which purpose). No policy can shift the draws of another request, so that two policies under one seed
 * see the same arrivals and the same work. 32 bits, finalised as in `core/forecast/random.ts`.
 */
export function mix(key: number, purpose: number): number {
  let mixed = (key ^ imul(purpose, 0x9e3779b9)) | 0;
  mixed = imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  mixed ^= mixed >>> 15;
  // A second pass: keys and purposes that differ in few bits must not give draws that resemble each other.
  mixed = imul(mixed ^ (purpose + 0x7f4a7c15), 0x2c1b3c6d);
  mixed = imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return mixed ^ (mixed >>> 15);
}

/** In [0, 1). */
export function uniform(key: number, purpose: number): number {
  return (mix(key, purpose) >>> 0) / 4_294_967_296;
}

/** Mean 1. */
export function exponential(key: number, purpose: number): number {
  return -log(1 - uniform(key, purpose));
}

/** Standard normal (Box and Muller 1958). */
export function gaussian(key: number, purpose: number): number {
  const radius = sqrt(-2 * log(1 - uniform(key, purpose)));
  return radius * cos(2 * PI * uniform(key, purpose ^ 0x40000000));
}

/** What draws are for. Calls of a request take purposes from `CHILD` on. */
export const PURPOSE = {
  arrival: 1,
  burst: 2,
  proxy: 3,
  user: 4,
  work: 5,
  phase: 6,
  error: 7,
  balance: 8,
  balanceOther: 9,
  backOff: 10,
  fraction: 11,
  jitter: 12,
  priority: 13,
  enforce: 14,
  probe: 15,
  ring: 16,
  rotation: 17,
  attempt: 18,
} as const;
export const CHILD = 64;
