import { QUANTILES } from '../spec/forecast.js';
import type { DemandForecast } from '../spec/forecast.js';
import { parseDemandCsv } from '../spec/csvDemand.js';
import { parseDemand } from '../spec/parseDemand.js';
import type { PlanWindow } from '../spec/plan.js';
import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import type { QuantileName } from '../spec/region.js';
import type { EntryDemand, TwinDemand } from './model.js';

/** Demand for a run, and what it is: told with the result, because a result means nothing without it. */
export interface DemandSource {
  demand: TwinDemand;
  source: string;
  /** Of simulated time, as far as the source reaches; absent: it has no end. */
  seconds?: number;
}

export interface TraceOptions {
  /** Services at which users enter; rows of others are a problem. */
  entries: readonly string[];
  /** Seconds of the trace that pass in one simulated second. */
  speed: number;
  quantile: QuantileName;
}

interface Row {
  at: number;
  service: string;
  rps: number;
}

/**
 * Demand from recorded or forecast rates: CSV `timestamp,service,rps`, or JSON as `psmg forecast` prints it, of which
 * `quantile` is taken. Each rate holds from its time to the service's next; the last as long as the one before. The
 * earliest time of all is second 0.
 */
export function demandOfTrace(text: string, file: string, options: TraceOptions): Result<DemandSource> {
  const isForecast = text.trimStart().startsWith('{');
  const read = isForecast ? forecastRows(text, file, options.quantile) : csvRows(text, file);
  if (!read.ok) return read;
  const rows = read.value.filter(({ service }) => options.entries.includes(service));
  const others = [...new Set(read.value.map(({ service }) => service))].filter((s) => !options.entries.includes(s));
  const problems = [
    ...others.map((service) => notAnEntry(service, file, options.entries)),
    ...repeats(rows, file),
    ...(rows.length === 0 && others.length === 0
      ? [{ code: 'empty', file, field: '(file)', message: 'has no rate of any entry service' }]
      : []),
  ];
  if (problems.length > 0) return refused(problems);
  const beginMs = rows.reduce((least, { at }) => Math.min(least, at), Infinity);
  const entries = options.entries.flatMap((entry): EntryDemand[] => {
    const own = rows.filter(({ service }) => service === entry).sort((a, b) => a.at - b.at);
    const points = own.map(({ at, rps }) => ({ atMs: (at - beginMs) / options.speed, rps }));
    // Before its first row a service is not known to get anything.
    const silent = (points[0]?.atMs ?? 0) > 0 ? [{ atMs: 0, rps: 0 }] : [];
    return own.length === 0 ? [] : [{ entry, shape: 'step', points: [...silent, ...points] }];
  });
  const seconds = Math.max(...entries.map(({ points }) => endMs(points))) / 1000;
  const what = isForecast ? `${options.quantile} of the forecast ${file}` : file;
  const from = new Date(beginMs).toISOString();
  const source = `${what} from ${from}${options.speed === 1 ? '' : `, ${options.speed} times as fast`}`;
  return ok({ demand: { entries }, source, ...(seconds > 0 ? { seconds } : {}) });
}

/**
 * The demand that a window was planned for, steady: of each entry the rate that the plan states, less what other services
 * ask of it. A plan states one quantile by service; another one is refused.
 */
export function demandOfWindow(
  window: PlanWindow,
  entries: readonly string[],
  quantile: QuantileName | undefined,
): Result<DemandSource> {
  const planned = window.services.filter(({ service }) => entries.includes(service));
  const other = planned.filter(({ demand }) => quantile !== undefined && demand.quantile !== quantile);
  if (other.length > 0) {
    const message = `is ${quantile ?? ''}; the plan states ${other.map((one) => `${one.demand.quantile} of ${one.service}`).join(', ')} only`;
    const fix = 'leave it out, or give the forecast itself: --trace FILE, as `psmg forecast --format json` prints it';
    return refused([{ code: 'option', field: '--quantile', message, fix }]);
  }
  const asked = (callee: string): number =>
    window.services.reduce((sum, { demand, calls }) => sum + demand.rps * (calls?.[callee] ?? 0), 0);
  const demands = planned.map(({ service, demand }): EntryDemand => {
    const rps = Math.max(0, demand.rps - asked(service));
    return { entry: service, shape: 'step', points: [{ atMs: 0, rps }] };
  });
  const quantiles = [...new Set(planned.map(({ demand }) => demand.quantile))].join(', ');
  return ok({ demand: { entries: demands }, source: `${quantiles} of the plan's window from ${window.from}` });
}

function csvRows(text: string, file: string): Result<Row[]> {
  const { rows, problems } = parseDemandCsv(text, file);
  return problems.length > 0 ? refused(problems) : ok(rows);
}

function forecastRows(text: string, file: string, quantile: QuantileName): Result<Row[]> {
  const forecast: Result<DemandForecast> = parseDemand(text, file);
  if (!forecast.ok) return forecast;
  const level = QUANTILES.find((name) => name === quantile) ?? 'p95';
  return ok(
    forecast.value.series.flatMap(({ service, timestamps, quantiles }) =>
      timestamps.map((time, i) => ({ at: Date.parse(time), service, rps: quantiles[level][i] ?? 0 })),
    ),
  );
}

function notAnEntry(service: string, file: string, entries: readonly string[]): Problem {
  const message = `"${service}" is no service at which users enter`;
  const fix = 'leave its rows out: what services ask of each other follows from the graph';
  return { code: 'no-entry', file, field: 'service', message, expected: entries.join(', '), fix };
}

function repeats(rows: readonly Row[], file: string): Problem[] {
  const seen = new Set<string>();
  return rows.flatMap(({ at, service }): Problem[] => {
    const key = `${at} ${service}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const message = `${new Date(at).toISOString()} of ${service} is there twice`;
    return [{ code: 'repeated', file, field: 'timestamp', message }];
  });
}

function endMs(points: EntryDemand['points']): number {
  const [last, before] = [points.at(-1), points.at(-2)];
  if (last === undefined) return 0;
  return before === undefined ? last.atMs : 2 * last.atMs - before.atMs;
}
