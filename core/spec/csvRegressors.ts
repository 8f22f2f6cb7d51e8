import type { CsvRow } from './csv.js';
import { closeProblems, parseCsv, readCsvTable } from './csv.js';
import { parseInstant } from './instant.js';
import type { Problem } from './problem.js';

/** One value of a regressor, known from `at` (milliseconds since the epoch) on. */
export interface RegressorSample {
  at: number;
  /** Absent: it concerns all services. */
  service?: string;
  name: string;
  value: number;
}

/** A column of more different words than this is free text, not a category. */
const MAX_WORDS = 20;
/** More columns than this are more than any history can tell apart. */
const MAX_REGRESSORS = 100;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NAME = /^[^\s,;=][^,;=\r\n]{0,62}$/;

/**
 * CSV `timestamp[,service],name…`: what is known over history and horizon, such as a temperature. An empty cell is
 * a value that is not known. A column of words becomes one column of 0 and 1 a word, named `weather=rain`. A row
 * whose service is empty concerns all services. Every problem at once; never throws.
 */
export function parseRegressorsCsv(
  text: string,
  file?: string,
): { samples: RegressorSample[]; problems: readonly Problem[] } {
  const header = parseCsv(text.slice(0, headerLength(text))).records[0]?.cells ?? [];
  const names = [...new Set(header.filter((name) => name !== 'timestamp' && name !== 'service'))];
  const table = readCsvTable(text, { required: ['timestamp', ...names], optional: ['service'] }, file);
  const { problems } = table;
  const tell = (code: string, field: string, message: string, expected?: string): void => {
    const place = { ...(file === undefined ? {} : { file }), line: 1, field };
    problems.push({ code, ...place, message, ...(expected === undefined ? {} : { expected }) });
  };
  if (names.length === 0 && header.length > 0) tell('missing-column', '(header)', 'names no regressor', 'name…');
  if (names.length > MAX_REGRESSORS)
    tell('too-many', '(header)', `names ${names.length} regressors`, `at most ${MAX_REGRESSORS}`);
  for (const name of names) {
    if (!NAME.test(name)) tell('bad-value', name, 'is no name', 'up to 63 characters without ",", ";" and "="');
  }
  if (problems.length === 0 && table.rows.length === 0) tell('empty', '(file)', 'holds no row below its header');
  const times = timesOf(table.rows);
  const samples = names.flatMap((name) => columnSamples(name, table.rows, times, tell));
  return { samples: problems.length > 0 ? [] : samples, problems: closeProblems(problems) };
}

/** The header alone: splitting a long text twice would take twice as long. */
function headerLength(text: string): number {
  const end = /[^\s\uFEFF][^\n]*\n/.exec(text);
  return end === null ? text.length : end.index + end[0].length;
}

function timesOf(rows: readonly CsvRow[]): readonly (number | null)[] {
  const first = new Map<string, number>();
  return rows.map((row) => {
    const written = row.cell('timestamp');
    const at = parseInstant(written);
    if (at === null) {
      const expected = 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z';
      row.refuse('timestamp', `"${written.slice(0, 40)}" is not a time with a zone`, { expected });
      return null;
    }
    const key = `${at} ${row.cell('service')}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, row.line);
    else row.refuse('timestamp', `repeats the time of line ${before}`, { fix: 'keep one of the two rows' });
    return at;
  });
}

type Tell = (code: string, field: string, message: string, expected?: string) => void;

function columnSamples(
  name: string,
  rows: readonly CsvRow[],
  times: readonly (number | null)[],
  tell: Tell,
): RegressorSample[] {
  const cells = rows.map((row) => row.cell(name));
  const written = cells.filter((cell) => cell !== '');
  const words = [...new Set(written.filter((cell) => !NUMBER.test(cell)))].sort();
  // A single number among words is still a word; a few words among numbers are mistakes.
  const numbers = written.filter((cell) => NUMBER.test(cell) && Number.isFinite(Number(cell))).length;
  if (written.length === 0 && rows.length > 0) tell('empty', name, 'has no value in any row');
  if (words.length === 0 || numbers * 2 > written.length) return numberSamples(name, rows, cells, times);
  const categories = [...new Set(written)].sort();
  if (categories.length > MAX_WORDS) {
    tell('too-many', name, `holds ${categories.length} different words`, `numbers, or at most ${MAX_WORDS} words`);
    return [];
  }
  const long = categories.find((word) => word.length > 40);
  if (long !== undefined)
    tell('bad-value', name, `holds the text "${long.slice(0, 40)}…"`, 'words of up to 40 characters');
  return categories.flatMap((word) =>
    cells.flatMap((cell, index) =>
      cell === '' ? [] : sample(`${name}=${word}`, rows[index], times[index], cell === word ? 1 : 0),
    ),
  );
}

function numberSamples(
  name: string,
  rows: readonly CsvRow[],
  cells: readonly string[],
  times: readonly (number | null)[],
): RegressorSample[] {
  return cells.flatMap((cell, index) => {
    if (cell === '') return [];
    const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
    if (Number.isFinite(value)) return sample(name, rows[index], times[index], value);
    const help = {
      expected: 'a number, as in most rows of this column',
      fix: 'leave the cell empty where it is not known',
    };
    rows[index]?.refuse(name, `"${cell.slice(0, 40)}" is not a number`, help);
    return [];
  });
}

function sample(
  name: string,
  row: CsvRow | undefined,
  at: number | null | undefined,
  value: number,
): RegressorSample[] {
  if (row === undefined || at === null || at === undefined) return [];
  const service = row.cell('service');
  return [{ at, name, value, ...(service === '' ? {} : { service }) }];
}
