import { percent } from '../../core/tuning/percent.js';
import { markdownTable } from '../markdown.js';
import { quantile } from '../statistics.js';
import { harmfulOf } from './safety.js';
import type { SafetyRun } from './safety.js';

/** Reward that a run may lose. */
export const MOST_LOST = 0.02;
const MOST_TICKS = 2;

/** Upper 95 % bound of a share of which `count` in `n` were seen: the rule of three at none, else Wilson's. */
export function upperBound(count: number, n: number): number {
  if (n === 0) return 1;
  if (count === 0) return Math.min(1, 3 / n);
  const [z, p] = [1.645, count / n];
  const middle = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return (middle + half) / (1 + (z * z) / n);
}

export function safetyText(runs: readonly SafetyRun[], { tickMs }: { tickMs: number }): string {
  const groups: readonly [string, readonly SafetyRun[]][] = [
    ['all', runs],
    ['faults anywhere', runs.filter(({ isAimed }) => !isAimed)],
    ['faults aimed at moves', runs.filter(({ isAimed }) => isAimed)],
    ['forecast × 0.3–0.7', runs.filter(({ forecastFactor: by }) => by < 0.7)],
    ['forecast × 0.7–1.5', runs.filter(({ forecastFactor: by }) => by >= 0.7 && by < 1.5)],
    ['forecast × 1.5–3', runs.filter(({ forecastFactor: by }) => by >= 1.5)],
  ];
  const header = [
    ...['runs', 'n', 'lost: median', 'p99', 'most', 'by chance (A/A): p99', 'most'],
    ...['> 2 % lost', 'at most (95 %)', 'moves', 'harmful', 'not reversed in 2 ticks'],
  ];
  const rows = groups.map(([name, of]) => [name, ...figures(of, tickMs)]);
  return markdownTable([header, ...rows]);
}

function figures(runs: readonly SafetyRun[], tickMs: number): string[] {
  const n = runs.length;
  if (n === 0) return ['0', ...Array.from({ length: 10 }, () => '–')];
  const lost = runs.map(({ lostShare }) => lostShare);
  const chance = runs.map(({ chanceShare }) => Math.abs(chanceShare));
  const worse = lost.filter((share) => share > MOST_LOST).length;
  const harmful = harmfulOf(runs, { threshold: MOST_LOST, tickMs });
  const late = harmful.filter(({ ticksToReverse }) => ticksToReverse > MOST_TICKS).length;
  return [
    String(n),
    percent(quantile(lost, 0.5)),
    percent(quantile(lost, 0.99)),
    percent(Math.max(...lost)),
    percent(quantile(chance, 0.99)),
    percent(Math.max(...chance)),
    String(worse),
    percent(upperBound(worse, n)),
    String(runs.reduce((sum, { moves }) => sum + moves.length, 0)),
    String(harmful.length),
    String(late),
  ];
}

/** Runs that lost the most, to look at: the seed makes them again. */
export function worstRuns(runs: readonly SafetyRun[], count: number): string {
  const worst = [...runs].sort((a, b) => b.lostShare - a.lostShare || a.seed - b.seed).slice(0, count);
  const rows = worst.map(({ seed, app, segment, surge, forecastFactor, faults, moves, lostShare, chanceShare }) => [
    String(seed),
    `${app}, ${segment}, × ${surge}`,
    faults.map(({ kind }) => kind).join(', '),
    forecastFactor.toFixed(2),
    String(moves.length),
    percent(lostShare),
    percent(Math.abs(chanceShare)),
  ]);
  const header = ['seed', 'region, segment, surge', 'faults', 'forecast ×', 'moves', 'lost', 'by chance'];
  return markdownTable([header, ...rows], 3);
}
