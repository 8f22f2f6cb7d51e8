import { ratesOfCounter, ratesOfRequests } from './counters.js';
import type { CsvRow } from './csv.js';
import { closeProblems, readCsvTable } from './csv.js';
import { parseInstant } from './instant.js';
import type { Problem } from './problem.js';

/** Requests per second of one service in the step that starts at `at` (milliseconds since the epoch). */
export interface DemandSample {
  at: number;
  service: string;
  rps: number;
  /** How long it was measured; absent: a step, or as its neighbours say. */
  spanMs?: number;
  /** Made from a counter that fell in between. */
  isReset?: boolean;
}

/** What a file measures: a rate, the requests since the row's time, or a counter of requests that only grows. */
type Measure = 'rps' | 'requests' | 'total';

const MEASURES: readonly Measure[] = ['rps', 'requests', 'total'];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Long CSV `timestamp,service,rps`; in place of `rps` it may have `requests` (count from the row's time to the next
 * row's) or `total` (counter as read at the row's time). A row that cannot be used is a problem, never skipped in
 * silence; rates are made within the file, in the order of time.
 */
export function parseDemandCsv(text: string, file?: string): { rows: DemandSample[]; problems: readonly Problem[] } {
  const table = readCsvTable(text, { required: ['timestamp', 'service'], oneOf: MEASURES }, file);
  const measure = MEASURES.find((name) => name === table.chosen) ?? 'rps';
  const read = table.rows.flatMap((row): (DemandSample & { row: CsvRow })[] => {
    const sample = readRow(row, measure);
    return sample === null ? [] : [{ ...sample, row }];
  });
  const rows = RATES[measure](read);
  return { rows, problems: closeProblems(table.problems) };
}

type ReadSample = DemandSample & { row: CsvRow };

const RATES: Readonly<Record<Measure, (read: readonly ReadSample[]) => DemandSample[]>> = {
  rps: (read) => read.map(({ at, service, rps }) => ({ at, service, rps })),
  requests: (read) => byService(read).flatMap((own) => ratesOfRequests(own, refuseLone)),
  total: (read) => byService(read).flatMap((own) => ratesOfCounter(own, refuseLone)),
};

function refuseLone({ row, service }: ReadSample): void {
  row.refuse('timestamp', `is the only time of "${service}" in this file`, {
    expected: 'at least two, to make a rate',
  });
}

/** The written value stands in `rps` until rates are made of it. */
function readRow(row: CsvRow, measure: Measure): DemandSample | null {
  const at = parseInstant(row.cell('timestamp'));
  const service = row.cell('service');
  const written = row.cell(measure);
  const value = NUMBER.test(written) ? Number(written) : Number.NaN;
  if (at === null) {
    const expected = 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z';
    row.refuse('timestamp', `"${row.cell('timestamp').slice(0, 40)}" is not a time with a zone`, { expected });
  }
  if (service === '') row.refuse('service', 'is empty', { expected: 'the name of a service' });
  const expected = 'a number ≥ 0';
  if (written === '') row.refuse(measure, 'is empty', { fix: 'leave the row out where nothing was measured' });
  else if (!Number.isFinite(value)) row.refuse(measure, `"${written.slice(0, 40)}" is not a number`, { expected });
  else if (value < 0) row.refuse(measure, `${written.slice(0, 40)} is negative`, { expected });
  else if (at !== null && service !== '') return { at, service, rps: value };
  return null;
}

function byService(read: readonly ReadSample[]): readonly (readonly ReadSample[])[] {
  const lists = new Map<string, ReadSample[]>();
  for (const sample of read) {
    const list = lists.get(sample.service);
    if (list === undefined) lists.set(sample.service, [sample]);
    else list.push(sample);
  }
  return [...lists.values()].map((list) => list.sort((a, b) => a.at - b.at));
}
