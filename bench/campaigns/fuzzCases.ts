import { parseEventsFile } from '../../core/forecast/events/eventsFile.js';
import { forecastDemand } from '../../core/forecast/forecast.js';
import { fromLocalClock, localHorizon, toLocalClock } from '../../core/forecast/history/prepare/localClock.js';
import type { Prepared } from '../../core/forecast/history/prepareSeries.js';
import { prepareSeries } from '../../core/forecast/history/prepareSeries.js';
import { regressorSeries } from '../../core/forecast/history/regressorSeries.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';
import { parseRegressorsCsv } from '../../core/spec/csvRegressors.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import { QUANTILES } from '../../core/spec/forecast.js';
import type { Chance } from './fuzzChance.js';
import { chanceOf } from './fuzzChance.js';
import { failed, judgeProblems, judgeResult } from './fuzzJudge.js';
import type { Outcome } from './fuzzRun.js';
import { demandText, eventsCsvText, eventsJsonText, icalText, regressorsText } from './fuzzText.js';
import { wildDemand, wildEngines, wildOptions, wildQuestion } from './fuzzWild.js';

export const ENTRY_NAMES = [
  'demand CSV',
  'events CSV',
  'events JSON',
  'events iCalendar',
  'regressors CSV',
  'local clock',
  'options',
  'forecast',
] as const;
export type EntryName = (typeof ENTRY_NAMES)[number];

/** Of 20 inputs in a row. */
const SHARES: readonly EntryName[] = [
  ...Array<EntryName>(6).fill('demand CSV'),
  'events CSV',
  'events JSON',
  ...Array<EntryName>(2).fill('events iCalendar'),
  'regressors CSV',
  'local clock',
  ...Array<EntryName>(2).fill('options'),
  ...Array<EntryName>(6).fill('forecast'),
];

const ENTRIES: Readonly<Record<EntryName, (chance: Chance) => Outcome>> = {
  'demand CSV': demandCsv,
  'events CSV': (chance) => judgeResult(parseEventsFile(eventsCsvText(chance), 'events.csv')),
  'events JSON': (chance) => judgeResult(parseEventsFile(eventsJsonText(chance), 'events.json')),
  'events iCalendar': calendar,
  'regressors CSV': regressors,
  'local clock': localClock,
  options: (chance) => judgeForecast(forecastDemand(wildOptions(chance), wildEngines(chance))),
  forecast: (chance) => judgeForecast(forecastDemand(wildQuestion(chance), wildEngines(chance))),
};

/** Runs one input of a campaign, and tells what became of it. Never throws. */
export function runFuzzCase(seed: number, index: number): { entry: EntryName; outcome: Outcome } {
  const entry = SHARES[index % SHARES.length] ?? 'forecast';
  try {
    return { entry, outcome: ENTRIES[entry](chanceOf(seed, index)) };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { entry, outcome: { kind: 'failed', why: `threw ${why}` } };
  }
}

function demandCsv(chance: Chance): Outcome {
  const { rows, problems } = parseDemandCsv(demandText(chance), 'history.csv');
  const bad = rows.find(
    ({ at, rps, service }) => !Number.isFinite(at) || !(rps >= 0 && rps < Infinity) || service === '',
  );
  if (bad !== undefined) return failed(`a row is ${JSON.stringify(bad)}`);
  const seasons = chance.of([[24, 168], [6], [288, 2016]]);
  const stepSeconds = chance.of([3600, 300, 60, 1]);
  const outcomes = [...new Set(rows.map((row) => row.service))].map((service) => {
    const own = rows.filter((row) => row.service === service);
    return judgePrepared(prepareSeries(own, { service, stepSeconds, seasons }));
  });
  return outcomes.find(({ kind }) => kind === 'failed') ?? judgeProblems(problems);
}

function calendar(chance: Chance): Outcome {
  const name = chance.of(['feed.ics', 'feed.csv']);
  const fromMs = Date.UTC(2026, 0, 1);
  const window = chance.is(0.7) ? { window: { fromMs, toMs: fromMs + 90 * 86_400_000 } } : {};
  return judgeResult(parseEventsFile(icalText(chance), name, window));
}

function regressors(chance: Chance): Outcome {
  const { samples, problems } = parseRegressorsCsv(regressorsText(chance), 'regressors.csv');
  const grid = {
    service: 'shop',
    startMs: Date.UTC(2026, 2, 27),
    stepMs: chance.of([3_600_000, 300_000]),
    steps: chance.whole(60),
  };
  const aligned = regressorSeries(samples, grid);
  if (aligned.ok && aligned.value.some(({ values }) => !values.every(Number.isFinite)))
    return failed('a regressor is not finite');
  return aligned.ok ? judgeProblems(problems) : judgeResult(aligned);
}

function localClock(chance: Chance): Outcome {
  const zones = [
    'Europe/Berlin',
    'America/St_Johns',
    'Africa/Casablanca',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'x',
    '',
  ] as const;
  const minutes = chance.of([60, 30, 5, 1, 120, 1440]);
  const startMs = Date.UTC(1968 + chance.whole(140), chance.whole(12), chance.whole(28), chance.whole(24));
  const horizon = 1 + chance.whole(100);
  const local = toLocalClock(
    { startMs, stepMs: minutes * 60_000, values: wildDemand(chance) },
    chance.of(zones),
    horizon,
  );
  const ahead = Array.from({ length: localHorizon(local, horizon) }, (_, step) => step);
  const back = fromLocalClock(local, ahead, horizon);
  if (![...local.series.values, ...back].every((value) => Number.isFinite(value) && value >= 0))
    return failed('a value is not finite');
  return back.length === horizon ? { kind: 'answered' } : failed(`${back.length} steps for ${horizon}`);
}

function judgePrepared(prepared: Prepared): Outcome {
  if (!prepared.ok) return judgeProblems(prepared.problems);
  const { series, trainable, marks } = prepared.value;
  const sound = [...series.values, ...trainable.values].every((value) => Number.isFinite(value) && value >= 0);
  if (!sound) return failed('a prepared value is not finite');
  if (marks.some(({ index }) => series.values[index] === undefined)) return failed('a mark lies outside the series');
  return series.values.length === trainable.values.length ? { kind: 'answered' } : failed('lengths differ');
}

function judgeForecast(result: ReturnType<typeof forecastDemand>): Outcome {
  if (!result.ok) return judgeResult(result);
  const why = result.value.series.map(whyUnsound).find((found) => found !== undefined);
  return why === undefined ? { kind: 'answered' } : failed(why);
}

/** Why one series of a forecast cannot stand: a level that is not finite, negative or falling, a time twice. */
export function whyUnsound({
  service,
  models,
  timestamps,
  quantiles,
}: Pick<DemandForecast['series'][number], 'service' | 'models' | 'timestamps' | 'quantiles'>): string | undefined {
  if (new Set(timestamps).size !== timestamps.length) return `${service}: a time comes twice`;
  if (!models.every(({ weight, mase }) => weight >= 0 && weight <= 1 && Number.isFinite(mase)))
    return `${service}: models are ${JSON.stringify(models)}`;
  for (const [step, time] of timestamps.entries()) {
    const levels = QUANTILES.map((name) => quantiles[name][step] ?? Number.NaN);
    const isRising = levels.every((level, at) => Number.isFinite(level) && level >= (levels[at - 1] ?? 0));
    if (!isRising) return `${service} at ${time}: quantiles are ${levels.join(', ')}`;
  }
  return undefined;
}
