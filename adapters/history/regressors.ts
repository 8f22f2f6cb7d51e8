import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { RegressorSample } from '../../core/spec/csvRegressors.js';
import { parseRegressorsCsv } from '../../core/spec/csvRegressors.js';
import type { Problem } from '../../core/spec/problem.js';

const MAX_MIB = 256;

/**
 * Regressors from a CSV `timestamp[,service],name…`, relative to `directory`. A file that cannot be read, and every
 * row that cannot be used, is a problem; only an aborted read throws.
 */
export async function readRegressorsFile(
  directory: string,
  file: string,
  signal?: AbortSignal,
): Promise<{ samples: readonly RegressorSample[]; problems: readonly Problem[] }> {
  const refuse = (code: string, message: string): { samples: []; problems: readonly Problem[] } => ({
    samples: [],
    problems: [{ code, file, field: '(file)', message, fix: `the path is taken from ${directory}` }],
  });
  try {
    const absolute = path.resolve(directory, file);
    const { size } = await stat(absolute);
    if (size > MAX_MIB * 1024 * 1024) return refuse('too-large', `is larger than ${MAX_MIB} MiB`);
    const text = await readFile(absolute, { encoding: 'utf8', ...(signal === undefined ? {} : { signal }) });
    return parseRegressorsCsv(text, file);
  } catch (error) {
    signal?.throwIfAborted();
    return refuse('unreadable', `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
