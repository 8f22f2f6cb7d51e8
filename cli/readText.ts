import { readFile } from 'node:fs/promises';

import { ok, refused } from '../core/spec/problem.js';
import type { Result } from '../core/spec/problem.js';

/** A file that a person named; why it cannot be read is theirs to know. */
export async function readText(file: string): Promise<Result<string>> {
  try {
    return ok(await readFile(file, 'utf8'));
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return refused([{ code: 'no-file', file, field: '(file)', message }]);
  }
}
