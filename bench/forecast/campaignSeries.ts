import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { Series } from '../../core/forecast/series.js';

/** Real demand by the hour, to put campaigns into. */
export interface RealSeries {
  id: string;
  series: Series;
  /** In steps, rising. */
  seasons: readonly number[];
}

const HOUR_MS = 3_600_000;
const DAY = 24;
const SEASONS = [DAY, 7 * DAY];
/** Hours below which a series has no room for several campaigns and a season between them. */
const LEAST_HOURS = 600;
/** NAB's two weeks have one season only: half of that is enough. */
const LEAST_HOURS_ONE_SEASON = 320;
const MOST_HOURS = 1600;

/**
 * Hourly series of the data folder, by source: bike hire (four stretches), pedestrians, requests of two web sites and of
 * a load balancer, and M4's hourly ones.
 */
export async function realSeries(folder: string): Promise<{ mixed: RealSeries[]; m4: RealSeries[] }> {
  const read = async (...names: string[]): Promise<string[][]> => {
    const lines = (await readFile(path.join(folder, ...names), 'utf8')).trim().split('\n');
    return lines.map((line) => line.split(',').map((cell) => cell.replaceAll('"', '').trim()));
  };
  const bike = hourly(await read('skforecast', 'bike_sharing_to_2012-04.csv'), 'date_time', 'users');
  const stretches = [2500, 5000, 7500, bike.values.length].map((end, index) =>
    named(`bike ${index + 1}`, cut(bike, end)),
  );
  const pedestrians = await read('prophet', 'example_pedestrians_multivariate.csv');
  const mixed = [
    ...stretches,
    ...['location_4', 'location_41'].map((name) => named(`pedestrians ${name}`, hourly(pedestrians, 'ds', name))),
    named('nasa', hourly(await read('webtraces', 'nasa_5min.csv'), 'ds', 'y')),
    named('twitter', hourly(await read('webtraces', 'twitter_5min.csv'), 'ds', 'y')),
    named('elb', hourly(await read('nab', 'elb_request_count_8c0756.csv'), 'timestamp', 'value')),
  ];
  const rows = (await read('m4', 'Hourly-train.csv')).slice(1);
  const m4 = rows.map(([id = '', ...cells]) => {
    const values = cells.filter((cell) => cell !== '' && cell !== 'NA').map(Number);
    return named(`m4 ${id}`, { startMs: Date.UTC(2024, 0, 1), stepMs: HOUR_MS, values });
  });
  const usable = ({ series, seasons }: RealSeries): boolean =>
    series.values.length >= (seasons.length > 1 ? LEAST_HOURS : LEAST_HOURS_ONE_SEASON);
  return { mixed: mixed.filter(usable), m4: m4.filter(usable) };
}

function named(id: string, series: Series): RealSeries {
  return { id, series, seasons: series.values.length >= LEAST_HOURS ? SEASONS : [DAY] };
}

function cut(series: Series, end: number): Series {
  const from = Math.max(0, end - MOST_HOURS);
  return { ...series, startMs: series.startMs + from * series.stepMs, values: series.values.slice(from, end) };
}

/** Means by the hour; an hour without a row is as the one before. */
function hourly(rows: readonly (readonly string[])[], timeColumn: string, valueColumn: string): Series {
  const [header = [], ...body] = rows;
  const [timeAt, valueAt] = [header.indexOf(timeColumn), header.indexOf(valueColumn)];
  const sums = new Map<number, { sum: number; count: number }>();
  for (const row of body) {
    const hour = Math.floor(Date.parse(`${(row[timeAt] ?? '').replace(' ', 'T')}Z`) / HOUR_MS);
    const value = Number(row[valueAt]);
    if (!Number.isFinite(hour) || row[valueAt] === '' || !Number.isFinite(value)) continue;
    const { sum, count } = sums.get(hour) ?? { sum: 0, count: 0 };
    sums.set(hour, { sum: sum + value, count: count + 1 });
  }
  const first = Math.min(...sums.keys());
  const last = Math.max(...sums.keys());
  let before = 0;
  const values = Array.from({ length: last - first + 1 }, (_, index) => {
    const at = sums.get(first + index);
    return (before = at === undefined ? before : at.sum / at.count);
  });
  return cut({ startMs: first * HOUR_MS, stepMs: HOUR_MS, values }, values.length);
}
