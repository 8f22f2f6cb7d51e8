import type { RegressorSample } from '../../spec/csvRegressors.js';
import type { Problem, Result } from '../../spec/problem.js';
import { ok, refused } from '../../spec/problem.js';
import type { KnownSeries } from '../members/members.js';

/** The steps of history and horizon together. */
export interface RegressorGrid {
  service: string;
  startMs: number;
  stepMs: number;
  steps: number;
}

/** A value holds for its own spacing, and this many steps longer: a hole beyond that is not guessed at. */
const CARRIED_STEPS = 6;
/** Times named of those that are missing. */
const NAMED_HOLES = 3;

/**
 * Each regressor that concerns a service, one value a step of the grid: the mean of the samples within the step; else
 * the last one before it, for as long as samples usually last (their median spacing, so that daily values serve hourly
 * steps) and six steps more, which is told as a warning. Samples of the service itself are preferred, by name, to
 * those of all services. Refused, with every regressor and the times that are missing, where a value would be invented.
 */
export function regressorSeries(
  samples: readonly RegressorSample[],
  grid: RegressorGrid,
): Result<readonly KnownSeries[]> {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const known: KnownSeries[] = [];
  for (const [name, own] of byName(samples, grid.service)) {
    const field = `regressors.${name}`;
    const { values, carried, holes } = align(own, grid);
    if (holes.length > 0) problems.push(missing(field, holes, grid));
    else known.push({ name, values });
    if (holes.length > 0 || carried === 0) continue;
    const message = `${carried} steps without a value took the one before them`;
    warnings.push({ code: 'carried', field, message });
  }
  return problems.length > 0 ? refused(problems) : ok(known, warnings);
}

function byName(samples: readonly RegressorSample[], service: string): [string, RegressorSample[]][] {
  const own = new Map<string, RegressorSample[]>();
  const shared = new Map<string, RegressorSample[]>();
  for (const sample of samples) {
    if (sample.service !== undefined && sample.service !== service) continue;
    const group = sample.service === undefined ? shared : own;
    const list = group.get(sample.name);
    if (list === undefined) group.set(sample.name, [sample]);
    else list.push(sample);
  }
  return [...new Map([...shared, ...own])].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Aligned {
  values: readonly number[];
  /** Steps that lie in a hole and took an earlier value. */
  carried: number;
  /** Index of each step that has none. */
  holes: readonly number[];
}

function align(samples: readonly RegressorSample[], { startMs, stepMs, steps }: RegressorGrid): Aligned {
  const sorted = [...samples].sort((a, b) => a.at - b.at);
  const lastsMs = Math.max(stepMs, spacingMs(sorted));
  const values: number[] = [];
  const holes: number[] = [];
  let carried = 0;
  let next = 0;
  let last: RegressorSample | undefined;
  for (let step = 0; step < steps; step++) {
    const fromMs = startMs + step * stepMs;
    let sum = 0;
    let count = 0;
    for (let at = sorted[next]; at !== undefined && at.at < fromMs + stepMs; at = sorted[++next]) {
      last = at;
      if (at.at < fromMs) continue;
      sum += at.value;
      count++;
    }
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : fromMs - last.at;
    if (count > 0) values.push(sum / count);
    else if (last !== undefined && ageMs < lastsMs + CARRIED_STEPS * stepMs) {
      values.push(last.value);
      if (ageMs >= lastsMs) carried++;
    } else holes.push(step);
  }
  return { values, carried, holes };
}

/** Median time between samples; 0 for a single one. */
function spacingMs(sorted: readonly RegressorSample[]): number {
  const gaps = sorted.slice(1).map((sample, index) => sample.at - (sorted[index]?.at ?? sample.at));
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
}

function missing(field: string, holes: readonly number[], { service, startMs, stepMs, steps }: RegressorGrid): Problem {
  const runs: { from: number; to: number }[] = [];
  for (const step of holes) {
    const run = runs.at(-1);
    if (run?.to === step) run.to++;
    else runs.push({ from: step, to: step + 1 });
  }
  const time = (step: number): string => new Date(startMs + step * stepMs).toISOString();
  const named = runs.slice(0, NAMED_HOLES).map(({ from, to }) => `${time(from)} up to ${time(to)}`);
  const more = runs.length > NAMED_HOLES ? ` and ${runs.length - NAMED_HOLES} more stretches` : '';
  return {
    code: 'regressor-gap',
    field,
    message: `is not known for ${service} from ${named.join(', ')}${more}`,
    expected: `a value for each step from ${time(0)} up to ${time(steps)}, over history and horizon`,
    fix: 'add the missing times, or leave the column out',
  };
}
