import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { DemandHistory, DemandRow } from './port.js';
import { parseDemandCsv } from '../../core/spec/csvDemand.js';
import type { Problem } from '../../core/spec/problem.js';
import type { HistorySpec } from '../../core/spec/region.js';

const MAX_MIB = 256;

/**
 * Demand from a long CSV `timestamp,service,rps` (ISO 8601 with a zone; docs/data-rules.md says what else may stand for
 * `rps`). Files are relative to `directory`. A file that cannot be read, and every row that cannot be used, is a
 * problem; only an aborted read throws.
 */
export function createCsvHistory(directory: string): DemandHistory {
  return { read: (spec, signal) => readCsvHistory(directory, spec, signal) };
}

async function readCsvHistory(
  directory: string,
  spec: HistorySpec,
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
