import { readFile } from 'node:fs/promises';

import { parseRegion } from '../core/spec/parseRegion.js';
import type { Problem } from '../core/spec/problem.js';

/** Every problem of a region file, in the order of its text; empty when it is sound. */
export async function validateRegionFile(file: string): Promise<readonly Problem[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return [{ code: 'unreadable', file, field: '(file)', message }];
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const result = parseRegion(text, file);
    return result.ok ? [] : result.problems;
  } catch {
    return [{ code: 'not-text', file, field: '(file)', message: 'is not UTF-8 text', fix: 'save it as UTF-8' }];
  }
}
