import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { DemandRow } from './port.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';
import type { CsvHistorySpec } from '../../core/spec/history.js';
import type { Problem } from '../../core/spec/problem.js';

const MAX_MIB = 256;

/** A `DemandHistory` of files alone; source.ts reads every form of a region file. */
export interface CsvHistory {
  read(
    spec: CsvHistorySpec,
    signal?: AbortSignal,
  ): Promise<{ rows: readonly DemandRow[]; problems: readonly Problem[] }>;
}

/**
 * Demand from a long CSV `timestamp,service,rps` (ISO 8601 with a zone; docs/data-rules.md says what else may stand for
 * `rps`). Files are relative to `directory`. A file that cannot be read, and every row that cannot be used, is a
 * problem; only an aborted read throws.
 */
export function createCsvHistory(directory: string): CsvHistory {
  return { read: (spec, signal) => readCsvHistory(directory, spec, signal) };
}

async function readCsvHistory(
  directory: string,
  spec: CsvHistorySpec,
  signal?: AbortSignal,
): Promise<{ rows: readonly DemandRow[]; problems: readonly Problem[] }> {
  const file = path.resolve(directory, spec.file);
  const refuse = (code: string, message: string, fix: string): { rows: []; problems: readonly Problem[] } => ({
    rows: [],
    problems: [{ code, file: spec.file, field: '(file)', message, fix }],
  });
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_MIB * 1024 * 1024)
      return refuse('too-large', `is larger than ${MAX_MIB} MiB`, 'keep the last weeks only');
    text = await readFile(file, { encoding: 'utf8', ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return refuse('unreadable', `cannot be read: ${reason}`, `the path is taken from ${directory}`);
  }
  return parseDemandCsv(text, spec.file);
}
