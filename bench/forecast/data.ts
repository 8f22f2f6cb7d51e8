import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { TimedEvent } from '../../core/forecast/events.js';
import type { KnownSeries } from '../../core/forecast/members.js';
import { prepareSeries } from '../../core/forecast/prepareSeries.js';
import type { Series } from '../../core/forecast/series.js';
import { sliceSeries } from '../../core/forecast/series.js';
import { pick } from './random.js';

/** One question: a history, what is known of its future, and what came. */
export interface Question {
  id: string;
  history: Series;
  events: readonly TimedEvent[];
  /** Over history and horizon. */
  known: readonly KnownSeries[];
  actual: readonly number[];
}

export interface QuestionSet {
  title: string;
  /** How the set was cut, in a sentence. */
  facts: string;
  seasons: readonly number[];
  questions: readonly Question[];
}

export const SET_NAMES = ['m4', 'bike'] as const;
export type SetName = (typeof SET_NAMES)[number];

export interface SetOptions {
  folder: string;
  /** M4: series; bike: windows. */
  sample: number;
  seed: number;
}

const HOUR_MS = 3_600_000;
const SEASONS = [24, 168];

export const SETS: Readonly<Record<SetName, (options: SetOptions) => Promise<QuestionSet>>> = { m4, bike };

/** The last 48 hours of M4's hourly series. The file has no dates: all are taken to start on a Monday. */
async function m4({ folder, sample, seed }: SetOptions): Promise<QuestionSet> {
  const horizon = 48;
  const lines = await linesOf(path.join(folder, 'm4', 'Hourly-train.csv'));
  const all = lines.slice(1).map((line): Question => {
    const [id = '', ...cells] = line.split(',').map((cell) => cell.replaceAll('"', '').trim());
    const values = cells.filter((cell) => cell !== '' && cell !== 'NA').map(Number);
    const series = { startMs: Date.UTC(2024, 0, 1), stepMs: HOUR_MS, values };
    const history = sliceSeries(series, values.length - horizon);
    return { id, history, events: [], known: [], actual: values.slice(-horizon) };
  });
  const questions = pick(all, sample, seed);
  const facts = `the last ${horizon} h of ${questions.length} of ${all.length} series, drawn with seed ${seed}`;
  return { title: 'M4 hourly', facts, seasons: SEASONS, questions };
}

/**
 * Weeks of hourly bike hire, each forecast from all before it. Holidays are events; working days and the weather as it
 * came are regressors, as if the weather forecast had been perfect: for all methods alike.
 */
async function bike({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const horizon = 168;
  const lines = await linesOf(path.join(folder, 'skforecast', 'bike_sharing_to_2012-04.csv'));
  const header = (lines[0] ?? '').split(',');
  const column = (name: string): number => header.indexOf(name);
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',');
    const at = Date.parse(`${(cells[column('date_time')] ?? '').replace(' ', 'T')}Z`);
    const known = {
      workingday: Number(cells[column('workingday')]),
      temp: Number(cells[column('temp')]),
      hum: Number(cells[column('hum')]),
      windspeed: Number(cells[column('windspeed')]),
      rain: cells[column('weather')] === 'rain' ? 1 : 0,
    };
    return { at, users: Number(cells[column('users')]), holiday: Number(cells[column('holiday')]) > 0, known };
  });
  const demand = rows.map(({ at, users }) => ({ at, service: 'bike', rps: users }));
  const prepared = prepareSeries(demand, { service: 'bike', stepSeconds: 3600, seasons: SEASONS });
  if (!prepared.ok) throw new Error(prepared.problems.map((problem) => problem.message).join('; '));
  const { series } = prepared.value;
  const events = rows
    .filter((row) => row.holiday)
    .map(({ at }) => ({ id: String(at), kind: 'holiday', startMs: at, endMs: at + HOUR_MS, uplift: undefined }));
  const byTime = new Map(rows.map((row) => [row.at, row.known]));
  const known = (['workingday', 'temp', 'hum', 'windspeed', 'rain'] as const).map((name): KnownSeries => {
    let last = 0;
    // Hours without hire have no row; the hour before knew their weather well enough.
    const values = series.values.map((_, step) => (last = byTime.get(series.startMs + step * HOUR_MS)?.[name] ?? last));
    return { name, values };
  });
  const questions = Array.from({ length: sample }, (_, index): Question => {
    const origin = series.values.length - horizon * (sample - index);
    if (origin < 6 * 168) throw new Error(`${sample} windows leave too little history; at most 60`);
    const history = sliceSeries(series, origin);
    const actual = series.values.slice(origin, origin + horizon);
    return { id: `window ${index + 1}`, history, events, known, actual };
  });
  const facts = `the last ${sample} weeks up to the end of April 2012, one window of ${horizon} h each; holidays as events, working days and weather as regressors`;
  return { title: 'Bike sharing, hourly', facts, seasons: SEASONS, questions };
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).trim().split('\n');
}
