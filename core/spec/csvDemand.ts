import { closeProblems, readCsvTable } from './csv.js';
import { parseInstant } from './instant.js';
import type { Problem } from './problem.js';

/** Requests per second of one service in the step that starts at `at` (milliseconds since the epoch). */
export interface DemandSample {
  at: number;
  service: string;
  rps: number;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Long CSV `timestamp,service,rps`. A row that cannot be used is a problem, never skipped in silence. */
export function parseDemandCsv(text: string, file?: string): { rows: DemandSample[]; problems: readonly Problem[] } {
  const table = readCsvTable(text, { required: ['timestamp', 'service', 'rps'] }, file);
  const rows: DemandSample[] = [];
  for (const row of table.rows) {
    const at = parseInstant(row.cell('timestamp'));
    const service = row.cell('service');
    const written = row.cell('rps');
    const rps = NUMBER.test(written) ? Number(written) : Number.NaN;
    if (at === null) {
      const expected = 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z';
      row.refuse('timestamp', `"${row.cell('timestamp').slice(0, 40)}" is not a time with a zone`, { expected });
    }
    if (service === '') row.refuse('service', 'is empty', { expected: 'the name of a service' });
    if (written === '') row.refuse('rps', 'is empty', { fix: 'leave the row out where nothing was measured' });
    else if (!Number.isFinite(rps))
      row.refuse('rps', `"${written.slice(0, 40)}" is not a number`, { expected: 'a number ≥ 0' });
    else if (rps < 0) row.refuse('rps', `${written.slice(0, 40)} is negative`, { expected: 'a number ≥ 0' });
    else if (at !== null && service !== '') rows.push({ at, service, rps });
  }
  return { rows, problems: closeProblems(table.problems) };
}
