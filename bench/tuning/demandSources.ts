import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { mean } from '../../core/forecast/series.js';
import { readCells } from '../forecast/sets/csv.js';

export const TRACE_NAMES = ['diurnal', 'diurnal-2', 'noisy', 'bursty'] as const;
export type TraceName = (typeof TRACE_NAMES)[number];

export const DAY_NAMES = ['nasa', 'twitter', 'bike'] as const;
export type DayName = (typeof DAY_NAMES)[number];

/** What demand is made of. Values are in whatever unit the source has. */
export interface DemandSources {
  /** One value a second, an hour long. */
  traces: Readonly<Record<TraceName, readonly number[]>>;
  days: Readonly<Record<DayName, DayShape>>;
}

export interface DayShape {
  /** Equal parts of an hour. */
  valuesPerHour: number;
  /** From a midnight on. */
  values: readonly number[];
}

/** Reads the four traces and the three series that days are cut from. `folder`: as its README describes it. */
export async function readDemandSources(folder: string): Promise<DemandSources> {
  const trace = async (name: TraceName): Promise<readonly [TraceName, number[]]> => {
    const text = await readFile(path.join(folder, 'traces', `${name}.txt`), 'utf8');
    return [name, text.trim().split('\n').map(Number)];
  };
  const web = async (name: string): Promise<DayShape> => {
    const rows = (await readCells(path.join(folder, 'webtraces', `${name}_5min.csv`))).slice(1);
    return { valuesPerHour: 12, values: rows.map(([, value = '']) => Number(value)) };
  };
  const bikeRows = await readCells(path.join(folder, 'skforecast', 'bike_sharing_to_2012-04.csv'));
  const users = bikeRows[0]?.indexOf('users') ?? -1;
  const bike = { valuesPerHour: 1, values: bikeRows.slice(1).map((row) => Number(row[users])) };
  const traces = await Promise.all(TRACE_NAMES.map(trace));
  return {
    traces: Object.fromEntries(traces) as Record<TraceName, number[]>,
    days: { nasa: await web('nasa'), twitter: await web('twitter'), bike },
  };
}

/** Means of so many values at a time, from the first on; a last part that is not whole is left out. */
export function meansOf(values: readonly number[], length: number): number[] {
  const count = Math.floor(values.length / length);
  return Array.from({ length: count }, (_, i) => mean(values.slice(i * length, (i + 1) * length)));
}
