/**
 * What trying things may cost: never so much that the reward so far falls below a share 1 − α of what the incumbent
 * settings would have brought (as CLUCB, Kazerouni et al. 2017). In units of reward share × tick.
 */
export interface Ledger {
  /** What the incumbent brought, or would have. */
  incumbent: number;
  /** What trials brought beside that, at the lower end of what was measured. */
  difference: number;
}

export const EMPTY_LEDGER: Ledger = { incumbent: 0, difference: 0 };

export interface Stake {
  /** That it may run at a loss before it is taken back. */
  ticks: number;
  /** Share of the region's offered worth that meets the candidate, 0–1. */
  exposure: number;
  /** Of the reward that may be lost, 0–1. */
  alpha: number;
}

/** Deviations below the mean that a move is reckoned with before it is tried. */
const CAUTION = 2;

/** Whether a move of such an expected effect may be tried: at its lower end the constraint still holds. */
export function affordable(
  { incumbent, difference }: Ledger,
  { mean, deviation }: { mean: number; deviation: number },
  { ticks, exposure, alpha }: Stake,
): boolean {
  const worst = Math.max(-1, Math.min(0, mean - CAUTION * deviation));
  return difference + ticks * exposure * worst >= -alpha * incumbent;
}

/** One tick under the incumbent, of the reward share `share`. */
export function heldTick(ledger: Ledger, share: number): Ledger {
  return { ...ledger, incumbent: ledger.incumbent + Math.max(0, share) };
}

/** What a trial brought in a tick beside the incumbent, at the lower end. Gains are no credit for losses to come. */
export function triedTick(ledger: Ledger, effect: number, exposure: number): Ledger {
  return { ...ledger, difference: ledger.difference + exposure * Math.min(0, effect) };
}
