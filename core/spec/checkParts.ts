import { fieldPath } from './fieldPath.js';
import { nearestName } from './nearest.js';
import type { Item, Path } from './rawDocument.js';
import { isRecord } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

export function unknownService(name: unknown, path: Path, names: ReadonlySet<string>): PathProblem[] {
  if (typeof name !== 'string' || name === '' || names.has(name)) return [];
  const expected = names.size === 0 ? 'a service of this file' : `one of ${[...names].join(', ')}`;
  const meant = nearestName(name, [...names]);
  const fix = meant === undefined ? 'add the service or mend the name' : `did you mean "${meant}"?`;
  const message = `names "${name.slice(0, 63)}", which is not a service here`;
  return [{ code: 'unknown-service', path, message, expected, fix }];
}

export function duplicates(
  list: readonly Item[],
  inner: readonly string[],
  code: string,
  what: string,
  normalise: (value: string) => string = (value) => value,
): PathProblem[] {
  const first = new Map<string, Path>();
  const problems: PathProblem[] = [];
  for (const { path, value } of list) {
    let found: unknown = value;
    for (const key of inner) found = isRecord(found) ? found[key] : undefined;
    if (typeof found !== 'string') continue;
    const key = normalise(found);
    const before = first.get(key);
    if (before === undefined) first.set(key, path);
    else {
      const message = `repeats the ${what} "${found.slice(0, 63)}" of ${fieldPath(before)}`;
      problems.push({ code, path: [...path, ...inner], message, fix: 'give each its own' });
    }
  }
  return problems;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function trimSlash(prefix: string): string {
  return prefix.length > 1 ? prefix.replace(/\/+$/, '') : prefix;
}
