import { median } from '../../forecast/series.js';
import type { EntryView } from '../control.js';
import type { PolicyParams } from '../policy.js';
import { param } from '../policy.js';

/** The paper's ladder of nine, every other rung. */
export const LADDER = [0.02, 0.06, 0.1, 0.2, 0.3] as const;
/** Requests that may be late: the paper's SLO is on p99. */
const LATE_ALLOWED = 0.01;
/** Samples are pooled by rates within this share of each other. */
const RATE_BIN = 0.1;
/** How far a sample tells of other arms (rungs) and rates (natural logarithm). */
const RUNG_WIDTH = 0.7;
const RATE_WIDTH = 0.3;
/** What is not known weighs so much, at the middle cost of what keeps the SLO. */
const PRIOR = { weight: 0.05, cost: 0.5 } as const;

/** Rungs of the two groups of services. */
export type Arm = readonly [number, number];

/** One step of a Tower: under so many requests per second, what an arm cost. */
export interface TowerSample {
  rps: number;
  arm: Arm;
  /** Share of offered requests that were not answered in time, 0–1. */
  late: number;
  /** Workers paid for, mean. */
  workers: number;
}

interface TowerOptions {
  params: PolicyParams;
  samples: readonly TowerSample[];
  record: (sample: TowerSample) => void;
  random: () => number;
}

/**
 * A contextual bandit over pairs of targets, its context the rate. The paper learns costs by a small neural network
 * over 81 arms after 12 hours of exploration; here medians by arm and rate are smoothed over neighbours of both, the
 * ladder is half as long, and a step goes to the same arm or one rung beside it.
 */
export class Tower {
  private readonly options: TowerOptions;
  private readonly samples: TowerSample[];
  private arm: Arm;
  private seen = { ticks: 0, offered: 0, good: 0, workers: 0 };

  constructor(options: TowerOptions) {
    this.options = options;
    this.samples = [...options.samples];
    const start = param(options.params, 'startLevel');
    this.arm = [start, start];
  }

  get targets(): [number, number] {
    return [LADDER[this.arm[0]]!, LADDER[this.arm[1]]!];
  }

  /** One period. */
  see(entries: readonly EntryView[], workers: number): void {
    const { seen } = this;
    seen.ticks++;
    seen.workers += workers;
    for (const { offered, withinDeadline } of entries) {
      seen.offered += offered;
      seen.good += withinDeadline;
    }
  }

  /** Ends a step, learns from it and chooses the arm of the next. */
  choose(): void {
    const { seen, options } = this;
    const rps = seen.offered / Math.max(1, seen.ticks * (param(options.params, 'periodMs') / 1000));
    if (seen.offered > 0) {
      const late = Math.max(0, 1 - seen.good / seen.offered);
      const sample = { rps, arm: this.arm, late, workers: seen.workers / seen.ticks };
      this.samples.push(sample);
      options.record(sample);
    }
    this.seen = { ticks: 0, offered: 0, good: 0, workers: 0 };
    const costs = costsOf(this.samples);
    const near = [this.arm, ...besides(this.arm)];
    const best = near.reduce((a, b) => (predict(costs, b, rps) < predict(costs, a, rps) - 1e-9 ? b : a));
    const others = besides(best).filter((arm) => near.some((one) => same(one, arm)));
    const explores = options.random() < param(options.params, 'exploreShare') && others.length > 0;
    this.arm = explores ? others[Math.floor(options.random() * others.length)]! : best;
  }
}

interface Cost {
  arm: Arm;
  logRate: number;
  cost: number;
}

/** 0–1 by workers where the SLO held, 2–3 by lateness where it did not; the median of each arm and rate. */
function costsOf(samples: readonly TowerSample[]): Cost[] {
  const good = samples.filter(({ late }) => late <= LATE_ALLOWED).map(({ workers }) => workers);
  const bad = samples.filter(({ late }) => late > LATE_ALLOWED).map(({ late }) => late);
  const pools = new Map<string, { arm: Arm; logRate: number; costs: number[] }>();
  for (const { rps, arm, late, workers } of samples) {
    const cost = late <= LATE_ALLOWED ? within(workers, good) : 2 + within(late, bad);
    const bin = Math.round(Math.log(Math.max(rps, 1)) / RATE_BIN);
    const key = `${arm.join()} ${bin}`;
    const pool = pools.get(key) ?? { arm, logRate: bin * RATE_BIN, costs: [] };
    pool.costs.push(cost);
    pools.set(key, pool);
  }
  return [...pools.values()].map(({ arm, logRate, costs }) => ({ arm, logRate, cost: median(costs) }));
}

function predict(costs: readonly Cost[], arm: Arm, rps: number): number {
  const logRate = Math.log(Math.max(rps, 1));
  let weights: number = PRIOR.weight;
  let sum = PRIOR.weight * PRIOR.cost;
  for (const one of costs) {
    const rungs = distance(one, arm);
    const weight = Math.exp(-rungs / (2 * RUNG_WIDTH ** 2) - ((one.logRate - logRate) / RATE_WIDTH) ** 2 / 2);
    weights += weight;
    sum += weight * one.cost;
  }
  return sum / weights;
}

/** Squared rungs. Lateness at one arm says little of lower targets, which run more instances, and all of higher ones. */
function distance({ arm, cost }: Cost, other: Arm): number {
  return [0, 1].reduce((sum, i) => {
    const up = other[i]! - arm[i]!;
    if (cost >= 2) return sum + (up > 0 ? 0 : 4 * up * up);
    return sum + up * up;
  }, 0);
}

function besides([a, b]: Arm): Arm[] {
  const all: Arm[] = [
    [a - 1, b],
    [a + 1, b],
    [a, b - 1],
    [a, b + 1],
  ];
  return all.filter((arm) => arm.every((rung) => rung >= 0 && rung < LADDER.length));
}

function same(a: Arm, b: Arm): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function within(value: number, values: readonly number[]): number {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return most > least ? (value - least) / (most - least) : 0.5;
}
