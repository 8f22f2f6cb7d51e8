import { fieldPath } from './fieldPath.js';
import type { Item, Path } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

/** Kinds whose text comes from a file or an address. */
const PLACED = ['ical', 'csv', 'json', 'news'];

/** What must hold between the fields of each event source of a region file, and between sources. */
export function eventSourceProblems(sources: readonly Item[]): PathProblem[] {
  const names = new Map<string, Path>();
  return sources.flatMap(({ path, value }): PathProblem[] => {
    const problems: PathProblem[] = [];
    const { kind, file, url, name, state, region } = value;
    if (PLACED.includes(String(kind)) && file === undefined && url === undefined) {
      const message = 'has neither a file nor an address';
      problems.push({ code: 'missing', path, message, expected: 'file or url', fix: 'add "file" or "url"' });
    }
    if (file !== undefined && url !== undefined) {
      const message = 'is given, and so is a file';
      problems.push({
        code: 'contradiction',
        path: [...path, 'url'],
        atKey: true,
        message,
        fix: 'keep one of the two',
      });
    }
    if (region !== undefined && state === undefined) {
      const message = 'is given without the state that it is part of';
      problems.push({ code: 'missing', path: [...path, 'region'], atKey: true, message, fix: 'add "state"' });
    }
    const before = typeof name === 'string' ? names.get(name) : undefined;
    if (before !== undefined) {
      const message = `repeats the source name "${String(name).slice(0, 63)}" of ${fieldPath(before)}`;
      problems.push({ code: 'duplicate-name', path: [...path, 'name'], message, fix: 'give each its own' });
    } else if (typeof name === 'string') names.set(name, path);
    return problems;
  });
}
