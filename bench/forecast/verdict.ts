import { mean } from '../../core/forecast/series.js';
import type { Interval } from './bootstrap.js';
import type { Comparison, CoverageIntervals } from './compare.js';
import type { SetName } from './data.js';
import type { MethodResult } from './finishSet.js';
import { LIGHTGBM, PEER_ENSEMBLES } from './peers.js';
import type { Score } from './score.js';
import { meanScore } from './score.js';

/** One line of what must be reached on a set, with the figure that decides. */
export interface Verdict {
  set: SetName;
  claim: string;
  figure: string;
  holds: boolean;
}

export interface Evidence {
  set: SetName;
  ensemble: MethodResult;
  members: readonly MethodResult[];
  peers: readonly MethodResult[];
  comparisons: readonly Comparison[];
  coverage: CoverageIntervals;
}

const M4_MASE = 0.83;
const M4_SMAPE = 9.6;
const MOST_OVER_BEST = 1.03;
const P90_RANGE: readonly [number, number] = [0.88, 0.92];
const P99_RANGE: readonly [number, number] = [0.98, 1];
const WQL90_SHARE = 0.95;
const CPU_SHARE = 0.25;

export function verdictsOf(evidence: Evidence): Verdict[] {
  const own: Readonly<Partial<Record<SetName, (evidence: Evidence) => Verdict[]>>> = { m4: onM4, bike: onBike };
  return [...(own[evidence.set]?.(evidence) ?? []), ...onEachSet(evidence)];
}

function onM4(evidence: Evidence): Verdict[] {
  const { mase, smape } = meanScore(evidence.ensemble.scores);
  return [
    verdict(evidence, `MASE ≤ ${M4_MASE}`, mase.toFixed(3), mase <= M4_MASE),
    verdict(evidence, `sMAPE ≤ ${M4_SMAPE} %`, smape.toFixed(2), smape <= M4_SMAPE),
    better(evidence, 'mase', 'MASE below every peer', 3),
    better(evidence, 'smape', 'sMAPE below every peer', 2),
  ];
}

function onBike(evidence: Evidence): Verdict[] {
  const { mase } = meanScore(evidence.ensemble.scores);
  const difference = evidence.comparisons.find(({ method }) => method === LIGHTGBM)?.mase;
  if (difference === undefined) throw new Error('LightGBM has not run');
  const figure = `difference ${intervalText(difference, 3)}; MASE ${mase.toFixed(3)}`;
  return [verdict(evidence, 'MASE below LightGBM, interval without zero', figure, difference.high < 0)];
}

function onEachSet(evidence: Evidence): Verdict[] {
  const { ensemble, members, peers, coverage } = evidence;
  const best = lowest(members, 'mase');
  const overBest = meanScore(ensemble.scores).mase / best.value;
  const wql = lowest(peers, 'wql90');
  const wqlRatio = meanScore(ensemble.scores).wql90 / wql.value;
  return [
    verdict(
      evidence,
      `MASE at most ${MOST_OVER_BEST} × that of the best member`,
      `${overBest.toFixed(3)} × ${best.method}`,
      overBest <= MOST_OVER_BEST,
    ),
    covers(evidence, 'p90', coverage.p90, P90_RANGE),
    covers(evidence, 'p99', coverage.p99, P99_RANGE),
    verdict(
      evidence,
      'wQL90 at least 5 % below the best peer',
      `${wqlRatio.toFixed(3)} × ${wql.method}`,
      wqlRatio <= WQL90_SHARE,
    ),
    better(evidence, 'regret', 'cost regret below every peer', 3),
    cheaper(evidence),
  ];
}

/** Against the cheaper of the ensembles in Python: the re-forecast of both, members chosen. */
function cheaper(evidence: Evidence): Verdict {
  const ours = mean(evidence.ensemble.againSeconds);
  const theirs = evidence.peers
    .filter(({ method }) => method in PEER_ENSEMBLES)
    .map(({ method, againSeconds }) => ({ method, seconds: mean(againSeconds) }))
    .sort((a, b) => a.seconds - b.seconds)[0];
  if (theirs === undefined) throw new Error('no ensemble in Python has run');
  const figure = `${ours.toFixed(3)} s, ${(ours / theirs.seconds).toFixed(2)} × ${theirs.method}`;
  return verdict(
    evidence,
    'CPU of a re-forecast ≤ 1/4 of the Python ensemble',
    figure,
    ours <= CPU_SHARE * theirs.seconds,
  );
}

function better(evidence: Evidence, name: keyof Score, claim: string, digits: number): Verdict {
  const ours = meanScore(evidence.ensemble.scores)[name];
  const best = lowest(evidence.peers, name);
  const figure = `${ours.toFixed(digits)}, ${best.method} ${best.value.toFixed(digits)}`;
  return verdict(evidence, claim, figure, ours < best.value);
}

function covers(
  evidence: Evidence,
  level: string,
  interval: Interval,
  [low, high]: readonly [number, number],
): Verdict {
  const claim = `interval of ${level} coverage meets ${low}–${high}`;
  return verdict(evidence, claim, intervalText(interval, 3), interval.high >= low && interval.low <= high);
}

function lowest(results: readonly MethodResult[], name: keyof Score): { method: string; value: number } {
  const [best] = results
    .map(({ method, scores }) => ({ method, value: meanScore(scores)[name] }))
    .sort((a, b) => a.value - b.value);
  if (best === undefined) throw new Error('nothing to compare with');
  return best;
}

function verdict({ set }: Evidence, claim: string, figure: string, holds: boolean): Verdict {
  return { set, claim, figure, holds };
}

/** `−0.031 (−0.050 … −0.012)`. */
export function intervalText({ low, mean: middle, high }: Interval, digits: number): string {
  const text = (value: number): string => value.toFixed(digits).replace('-', '−');
  return `${text(middle)} (${text(low)} … ${text(high)})`;
}
