import { Because } from '../document.js';
import type { Tree } from '../document.js';

/** Tokens are whole and intervals are not: about a second, so stretched that the rate is exact. */
export function tokenBucket(rps: number, burst: number, reasons: { rps?: string; burst?: string }): Tree {
  const tokens = Math.max(1, Math.round(rps));
  return {
    max_tokens: new Because(burst, reasons.burst),
    tokens_per_fill: new Because(tokens, reasons.rps),
    fill_interval: `${Number((tokens / rps).toFixed(9))}s`,
  };
}

export function percent(numerator: Tree): Tree {
  return { default_value: { numerator, denominator: 'HUNDRED' } };
}
