import { FAMILIES } from './coefficients.js';
import type { Coefficients, Family } from './coefficients.js';
import type { Ledger } from './conservative.js';
import { EMPTY_LEDGER } from './conservative.js';
import type { Posterior } from './posterior.js';
import { forget, prior } from './posterior.js';

/** What the tuner has learned and where it stands: all that survives a restart. Plain JSON; see `artifact.ts`. */
export interface TunerState {
  version: 1;
  /** Against which `rungs` were moved; with another plan they are void. */
  planHash: string;
  /** Where the stream of chance stands. */
  generator: number;
  posteriors: Readonly<Record<Family, Posterior>>;
  ledger: Ledger;
  /** Of services whose coefficients are not the plan's. */
  rungs: Readonly<Record<string, Coefficients>>;
}

export function freshState(seed: number, planHash = ''): TunerState {
  const posteriors = Object.fromEntries(FAMILIES.map((family) => [family, prior()])) as Record<Family, Posterior>;
  return { version: 1, planHash, generator: seed | 0, posteriors, ledger: EMPTY_LEDGER, rungs: {} };
}

/** What was learned elsewhere or before, with a plan, a stream and a ledger of its own. */
export function warmStarted(learned: TunerState, seed: number, planHash = ''): TunerState {
  return { ...freshState(seed, planHash), posteriors: learned.posteriors };
}

/** After a deployment, or a drift: most of what was learned goes, and every coefficient is the plan's again. */
export function afterChange(state: TunerState, planHash: string): TunerState {
  const posteriors = Object.fromEntries(FAMILIES.map((family) => [family, forget(state.posteriors[family])])) as Record<
    Family,
    Posterior
  >;
  return { ...state, planHash, posteriors, rungs: {} };
}
