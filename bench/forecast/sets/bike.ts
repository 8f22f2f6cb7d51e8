import path from 'node:path';

import type { KnownSeries } from '../../../core/forecast/members/members.js';
import type { QuestionSet, SetOptions } from '../data.js';
import { meansByStep, readCells, timeOf } from './csv.js';
import { lastWindows } from './windows.js';

const HOUR_MS = 3_600_000;
const HORIZON = 168;

/**
 * Weeks of hourly bike hire, each forecast from all before it. Holidays are events; working days and the weather as it
 * came are regressors, as if the weather forecast had been perfect: for all methods alike.
 */
export async function bike({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const [header = [], ...rows] = await readCells(path.join(folder, 'skforecast', 'bike_sharing_to_2012-04.csv'));
  const columnOf = (name: string): number => header.indexOf(name);
  const at = rows.map((row) => timeOf(row[columnOf('date_time')] ?? ''));
  const read = (name: string): number[] => rows.map((row) => Number(row[columnOf(name)]));
  const users = read('users');
  const series = meansByStep(
    at.map((time, index) => ({ at: time, value: users[index] ?? 0 })),
    HOUR_MS,
  );
  if (series.values.length !== rows.length) throw new Error('bike: hours are missing');
  const holiday = read('holiday');
  const events = at.flatMap((startMs, index) =>
    (holiday[index] ?? 0) > 0
      ? [{ id: String(startMs), kind: 'holiday', startMs, endMs: startMs + HOUR_MS, uplift: undefined }]
      : [],
  );
  const known: KnownSeries[] = [
    ...['workingday', 'temp', 'hum', 'windspeed'].map((name) => ({ name, values: read(name) })),
    { name: 'rain', values: rows.map((row) => (row[columnOf('weather')] === 'rain' ? 1 : 0)) },
  ];
  const plan = { windows: sample, horizon: HORIZON, least: 8 * HORIZON };
  return {
    name: 'bike',
    title: 'Bike sharing, hourly',
    facts: `The last ${sample} weeks up to the end of April 2012, one window of ${HORIZON} h each; holidays as events, working days and the weather as it came as regressors.`,
    seasons: [24, 168],
    maseSeason: 24,
    isRegion: false,
    questions: lastWindows({ id: 'bike', series, events, known }, plan),
  };
}
