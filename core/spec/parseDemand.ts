import { z } from 'zod';

import { QUANTILES } from './forecast.js';
import type { DemandForecast, ForecastSeries } from './forecast.js';
import { parseInstant } from './instant.js';
import { ok, refused } from './problem.js';
import type { Problem, Result } from './problem.js';
import { instant, nonEmpty } from './schemaParts.js';
import { placeProblem, schemaProblems } from './schemaProblems.js';
import type { PathProblem } from './schemaProblems.js';

/** Beyond this many problems a file has one cause; the rest would only hide it. */
const MAX_PROBLEMS = 50;
/** Requests per second; more is a mistake of units, and sums of them would overflow. */
const MAX_RPS = 1e12;

const rps = z.array(z.number().min(0).max(MAX_RPS));
const series = z.object({
  service: nonEmpty,
  step: z.string().default(''),
  models: z.array(z.object({ name: z.string(), weight: z.number(), mase: z.number() })).default([]),
  trust: z.enum(['high', 'fair', 'low', 'none']),
  trustReason: z.string().default(''),
  timestamps: z.array(instant).min(1),
  quantiles: z.object({ p50: rps, p80: rps, p90: rps, p95: rps, p99: rps }),
});
const demand = z.object({ series: z.array(series).min(1), notes: z.array(z.string()).default([]) });

/**
 * Reads a forecast as `psmg forecast --format json` prints it; a person may leave out models, notes and reasons. All
 * series share one horizon of equal steps, and a quantile is never below a lower one. Every problem is named.
 */
export function parseDemand(text: string, file: string): Result<DemandForecast> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = `is no JSON: ${error instanceof Error ? error.message : String(error)}`;
    return refused([{ code: 'json', file, field: '(document)', message, expected: EXPECTED }]);
  }
  const parsed = demand.safeParse(value);
  const found = parsed.success
    ? seriesProblems(parsed.data.series)
    : schemaProblems(demand, value, parsed.error.issues);
  if (parsed.success && found.length === 0) return ok(parsed.data satisfies DemandForecast);
  const nowhere = { placeOf: () => ({}), placeOfKey: () => ({}) };
  return refused(
    shortened(
      found.map((problem) => placeProblem(problem, nowhere, file)),
      file,
    ),
  );
}

const EXPECTED = 'JSON as `psmg forecast --format json` prints it';

function shortened(problems: readonly Problem[], file: string): Problem[] {
  if (problems.length <= MAX_PROBLEMS) return [...problems];
  const message = `has ${problems.length - MAX_PROBLEMS} more problems of these kinds`;
  return [...problems.slice(0, MAX_PROBLEMS), { code: 'more-problems', file, field: '(document)', message }];
}

function seriesProblems(all: readonly ForecastSeries[]): PathProblem[] {
  const names = new Set<string>();
  const [first] = all;
  return all.flatMap((one, i): PathProblem[] => {
    const path = ['series', i];
    const problems: PathProblem[] = [];
    if (names.has(one.service)) {
      problems.push({ code: 'duplicate-name', path: [...path, 'service'], message: `repeats "${one.service}"` });
    }
    names.add(one.service);
    problems.push(...timeProblems(one.timestamps, [...path, 'timestamps']));
    if (first !== undefined && one.timestamps.join() !== first.timestamps.join()) {
      const message = `are not those of ${first.service}: all series share one horizon`;
      problems.push({ code: 'horizon', path: [...path, 'timestamps'], message });
    }
    return [...problems, ...quantileProblems(one, [...path, 'quantiles'])];
  });
}

function timeProblems(timestamps: readonly string[], path: readonly PropertyKey[]): PathProblem[] {
  const times = timestamps.map((text) => parseInstant(text) ?? NaN);
  const stepMs = (times[1] ?? 0) - (times[0] ?? 0);
  const at = times.findIndex((time, i) => i > 0 && (stepMs <= 0 || time - (times[i - 1] ?? NaN) !== stepMs));
  if (at < 0) return [];
  const message = `does not follow its neighbour by one step of ${stepMs / 1000} s`;
  return [{ code: 'step', path: [...path, at], message, expected: 'rising times, equally far apart' }];
}

function quantileProblems({ timestamps, quantiles }: ForecastSeries, path: readonly PropertyKey[]): PathProblem[] {
  return QUANTILES.flatMap((name, i): PathProblem[] => {
    const values = quantiles[name];
    if (values.length !== timestamps.length) {
      const message = `has ${values.length} values for ${timestamps.length} timestamps`;
      return [{ code: 'length', path: [...path, name], message, expected: 'one a timestamp' }];
    }
    const lower = QUANTILES[i - 1];
    if (lower === undefined) return [];
    const at = values.findIndex((value, step) => value < (quantiles[lower][step] ?? 0) * (1 - 1e-9));
    if (at < 0) return [];
    const message = `is ${values[at] ?? 0}, below ${lower} (${quantiles[lower][at] ?? 0})`;
    return [{ code: 'quantile-order', path: [...path, name, at], message, expected: `at least ${lower}` }];
  });
}
