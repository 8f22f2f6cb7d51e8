import { z } from 'zod';

import { fieldPath } from './fieldPath.js';
import { nearestName } from './nearest.js';
import type { Problem } from './problem.js';
import type { IssueHelp } from './regionSchema.js';
import type { Place } from './yamlDocument.js';

/** A problem that knows its path in the document but not yet its place in the text. */
export interface PathProblem extends Omit<Problem, 'file' | 'line' | 'column' | 'field'> {
  path: readonly PropertyKey[];
  /** The key itself is wrong, not its value. */
  atKey?: boolean;
}

/** Looking for near names is the slowest part; a mapping with more wrong keys than this is not a region file. */
const MAX_SUGGESTIONS = 100;

/** Places in the text; empty where the text has none to give. */
interface Places {
  placeOf(path: readonly PropertyKey[]): Partial<Place>;
  placeOfKey(path: readonly PropertyKey[]): Partial<Place>;
}

export function placeProblem({ path, atKey, ...rest }: PathProblem, places: Places, file?: string): Problem {
  const place = atKey === true ? places.placeOfKey(path) : places.placeOf(path);
  const { code, message, expected, fix } = rest;
  return {
    code,
    ...(file === undefined ? {} : { file }),
    ...place,
    field: fieldPath(path),
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Every issue that a schema has with a document, in words that a person can act on. */
export function schemaProblems(schema: z.ZodType, value: unknown, issues: readonly z.core.$ZodIssue[]): PathProblem[] {
  return issues.flatMap((issue) => issueProblems(schema, value, issue));
}

function issueProblems(schema: z.ZodType, root: unknown, issue: z.core.$ZodIssue): PathProblem[] {
  const path = issue.path;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, root, path);
    return issue.keys.map((key, index) => unknownKey([...path, key], key, known, index < MAX_SUGGESTIONS));
  }
  const value = valueAt(root, path);
  const help = issueHelp(issue);
  if (value === undefined) {
    const last = String(path.at(-1) ?? 'document');
    return [{ code: 'missing', path, message: 'is missing', fix: `add "${last}"`, ...pick(help, 'expected') }];
  }
  if (value === null) {
    return [
      {
        code: 'wrong-type',
        path,
        message: 'has no value',
        fix: 'write one or remove the key',
        ...pick(help, 'expected'),
      },
    ];
  }
  const shown = typeof value === 'object' ? '' : ` (it is ${JSON.stringify(value).slice(0, 60)})`;
  return [
    { code: help.code ?? 'bad-value', path, message: `${help.message}${shown}`, ...pick(help, 'expected', 'fix') },
  ];
}

function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
  suggest: boolean,
): PathProblem {
  const meant = suggest ? nearestName(key, known) : undefined;
  return {
    code: 'unknown-key',
    path,
    atKey: true,
    message: 'is not a key that is known here',
    ...(known.length === 0 ? {} : { expected: `one of ${known.join(', ')}` }),
    fix: meant === undefined ? 'remove it' : `did you mean "${meant}"?`,
  };
}

interface IssueWords extends IssueHelp {
  message: string;
}

function issueHelp(issue: z.core.$ZodIssue): IssueWords {
  switch (issue.code) {
    case 'invalid_type':
      return { code: 'wrong-type', message: 'has the wrong type', expected: typeName(issue.expected) };
    case 'too_small': {
      const sign = issue.inclusive === false ? 'greater than' : 'at least';
      return bound(issue.origin, sign, Number(issue.minimum), 'small');
    }
    case 'too_big': {
      const sign = issue.inclusive === false ? 'less than' : 'at most';
      return bound(issue.origin, sign, Number(issue.maximum), 'large');
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const meant = typeof issue.input === 'string' ? nearestName(issue.input, allowed) : undefined;
      return {
        message: 'is not one of the allowed values',
        expected: allowed.join(' | '),
        ...(meant === undefined ? {} : { fix: `did you mean "${meant}"?` }),
      };
    }
    case 'custom':
      return { message: issue.message, ...(issue.params as IssueHelp | undefined) };
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
      return { message: issue.message };
  }
}

function bound(origin: string, sign: string, limit: number, size: 'small' | 'large'): IssueWords {
  const counted = origin === 'array' || origin === 'string';
  const unit = origin === 'array' ? ' items' : ' characters';
  if (!counted) return { message: `is too ${size}`, expected: `a number ${sign} ${limit}` };
  return { message: size === 'small' ? 'has too few' : 'has too many', expected: `${sign} ${limit}${unit}` };
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    int: 'a whole number',
    number: 'a number',
    string: 'text (quote it if it looks like a number)',
  };
  return names[expected] ?? expected;
}

function pick(help: IssueHelp, ...keys: readonly ('expected' | 'fix')[]): Partial<PathProblem> {
  const picked: Partial<PathProblem> = {};
  for (const key of keys) if (help[key] !== undefined) picked[key] = help[key];
  return picked;
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function keysAt(schema: z.ZodType, root: unknown, path: readonly PropertyKey[]): readonly string[] {
  let current: unknown = schema;
  let value = root;
  for (const part of [...path, null]) {
    while (true) {
      if (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault) {
        current = current.unwrap();
      } else if (current instanceof z.ZodPipe) current = current.in;
      else if (current instanceof z.ZodDiscriminatedUnion) current = optionFor(current, value);
      else break;
    }
    if (part === null) break;
    value = valueAt(value, [part]);
    if (current instanceof z.ZodArray && typeof part === 'number') current = current.element;
    else if (current instanceof z.ZodObject) current = (current.shape as Record<PropertyKey, unknown>)[part];
    else return [];
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

/** The option of a union that the value itself names. */
function optionFor(union: z.ZodDiscriminatedUnion, value: unknown): unknown {
  const key = union.def.discriminator;
  return union.options.find((option) => {
    const named = option instanceof z.ZodObject ? (option.shape as Record<string, unknown>)[key] : undefined;
    return named instanceof z.ZodLiteral && named.values.has(valueAt(value, [key]) as string);
  });
}
