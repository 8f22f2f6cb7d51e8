import type { Trust } from '../spec/forecast.js';
import { lessTrust } from '../spec/forecast.js';

export interface TrustEvidence {
  mase: number;
  /** Share of held-out back-test points below p90. */
  coverage90: number;
  origins: number;
  historySteps: number;
  /** The longest season that was asked for, in steps. */
  longestSeason: number;
  /** Steps between the end of the history and the start of the forecast. */
  staleSteps: number;
  /** Kinds of events ahead whose effect nobody knows. */
  unknownKinds: readonly string[];
}

interface Cap {
  at: Trust;
  because: string;
}

/**
 * Trust is what the back-test earned, capped by everything that weakens it. `high`: better than the seasonal naive
 * on average (MASE ≤ 1), p90 held, four of the longest seasons seen. The reason names what decided.
 */
export function judgeTrust(evidence: TrustEvidence): { trust: Trust; score: number; reason: string } {
  const { mase, coverage90, origins, historySteps, longestSeason, staleSteps, unknownKinds } = evidence;
  const caps: Cap[] = [];
  const cap = (when: boolean, at: Trust, because: string): void => {
    if (when) caps.push({ at, because });
  };
  const error = `MASE ${mase.toFixed(2)} over ${origins} back-test origins`;
  const covered = `p90 held for ${Math.round(100 * coverage90)} % of the back-test`;
  const seen = `${historySteps} steps of history are ${(historySteps / longestSeason).toFixed(1)} of the longest season`;
  cap(!(mase <= 1), 'fair', error);
  cap(!(mase <= 1.5), 'low', error);
  cap(coverage90 < 0.85, 'fair', covered);
  cap(coverage90 < 0.75, 'low', covered);
  cap(origins < 5, 'fair', `only ${origins} back-test origins fit into the history`);
  cap(historySteps < 4 * longestSeason, 'fair', seen);
  cap(historySteps < 2 * longestSeason, 'low', seen);
  cap(staleSteps > longestSeason / 4, 'fair', `the history ended ${staleSteps} steps before the forecast begins`);
  cap(staleSteps > longestSeason, 'low', `the history ended ${staleSteps} steps before the forecast begins`);
  cap(unknownKinds.length > 0, 'low', `the effect of ${unknownKinds.join(', ')} ahead is unknown`);
  const trust = caps.reduce<Trust>((least, { at }) => lessTrust(least, at), 'high');
  const because = caps.filter(({ at }) => at === trust).map((entry) => entry.because);
  const score = Math.round(100 * scoreOf(mase, coverage90)) / 100;
  return { trust, score, reason: because.length === 0 ? `${error}; ${covered}` : because.join('; ') };
}

/**
 * Error and coverage as one number from 0 to 1, to compare services and to follow one over time: their product, so that
 * a good half does not hide a bad one. 0.5 is what MASE 1 earns with p90 held.
 */
function scoreOf(mase: number, coverage90: number): number {
  const error = 1 / (1 + Math.max(0, mase));
  // Too wide is a fault as well, but half as bad: capacity idles, nobody waits.
  const missed = coverage90 < 0.9 ? 0.9 - coverage90 : (coverage90 - 0.9) / 2;
  const held = Math.max(0, 1 - 4 * missed);
  return error * held;
}
