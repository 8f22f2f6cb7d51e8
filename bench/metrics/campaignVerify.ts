import { valuesOf } from '../../adapters/metrics/aggregate.js';
import type { MetricRow } from '../../adapters/metrics/port.js';
import { openStore } from './campaignStores.js';
import type { StorePlace } from './campaignStores.js';
import { fieldName, MEASUREMENT, SECOND_MS, serviceName, tagsOf, valueAt } from './load.js';
import type { Load } from './load.js';

export interface Verdict {
  rows: number;
  values: number;
  /** What is not as it was written: the first few, in words. */
  problems: readonly string[];
}

const PROBLEMS_TOLD = 10;

/** Reads every series back by the port and compares each time and value with what was written, in order. */
export async function verifyRows(place: StorePlace, load: Load, beginMs: number, seconds: number): Promise<Verdict> {
  const store = openStore(place, 'verify');
  const problems: string[] = [];
  let [rows, values] = [0, 0];
  try {
    for (let service = 0; service < load.services && problems.length < PROBLEMS_TOLD; service += 1) {
      const range = { fromMs: beginMs, toMs: beginMs + seconds * SECOND_MS };
      const found = await store.query({ measurement: MEASUREMENT, tags: tagsOf(service), ...range });
      rows += found.length;
      values += valuesOf(found);
      problems.push(...compareSeries(load, service, beginMs, seconds, found));
    }
  } finally {
    await store.close();
  }
  return { rows, values, problems: problems.slice(0, PROBLEMS_TOLD) };
}

/** Rows of one service against the seconds from `beginMs` on: strictly rising, none missing or more, all values equal. */
export function compareSeries(
  load: Load,
  service: number,
  beginMs: number,
  seconds: number,
  rows: readonly MetricRow[],
): string[] {
  const name = serviceName(service);
  const unordered = rows.findIndex(({ at }, index) => index > 0 && at <= (rows[index - 1]?.at ?? 0));
  if (unordered !== -1) return [`${name}: time does not rise at row ${unordered}`];
  const byTime = new Map(rows.map((row) => [row.at, row]));
  const due = Array.from({ length: seconds }, (_, index) => beginMs + index * SECOND_MS);
  const missing = due.filter((at) => !byTime.has(at));
  if (missing.length > 0) return [`${name}: ${missing.length} of ${seconds} rows missing, first at ${missing[0]}`];
  if (rows.length !== seconds) return [`${name}: ${rows.length} rows, ${seconds} were written`];
  for (const { at, fields } of rows) {
    const wrong = wrongField(load, service, at, fields);
    if (wrong !== undefined) return [`${name} at ${at}: ${wrong}`];
  }
  return [];
}

function wrongField(load: Load, service: number, at: number, fields: MetricRow['fields']): string | undefined {
  if (Object.keys(fields).length !== load.metrics) return `${Object.keys(fields).length} fields`;
  for (let metric = 0; metric < load.metrics; metric += 1) {
    const [found, written] = [fields[fieldName(metric)], valueAt(load, service, metric, at)];
    if (found !== written) return `${fieldName(metric)} is ${String(found)}, ${written} was written`;
  }
  return undefined;
}
