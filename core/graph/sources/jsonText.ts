import { fieldPath } from '../../spec/fieldPath.js';
import type { Problem } from '../../spec/problem.js';

/** More are not told one by one: a file of another kind has one in every record. */
const MAX_PROBLEMS = 100;

/** One JSON document of a text, and the problems found in it. */
export interface JsonPart {
  value: unknown;
  /** Tells a problem at `path`, with its line. */
  fail(code: string, path: readonly PropertyKey[], message: string, expected?: string): void;
}

export interface JsonText {
  parts: readonly JsonPart[];
  /** Grows as parts are read. */
  problems: Problem[];
}

/** Reads one JSON document, or one in each line. Never throws. Lines count from 1. */
export function readJson(text: string, file: string): JsonText {
  const found: JsonText = { parts: [], problems: [] };
  const whole = tryParse(text);
  if (whole.ok) return { ...found, parts: [partOf(whole.value, text, 1, file, found.problems)] };
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const isLines = lines.slice(first + 1).some((line) => line.trim() !== '') && tryParse(lines[first] ?? '').ok;
  if (!isLines) {
    found.problems.push(syntaxProblem(text, 1, whole.error, file));
    return found;
  }
  const parts = lines.flatMap((line, i): JsonPart[] => {
    if (line.trim() === '') return [];
    const parsed = tryParse(line);
    if (parsed.ok) return [partOf(parsed.value, line, i + 1, file, found.problems)];
    if (found.problems.length < MAX_PROBLEMS) found.problems.push(syntaxProblem(line, i + 1, parsed.error, file));
    return [];
  });
  return { ...found, parts };
}

type Parsed = { ok: true; value: unknown } | { ok: false; error: string };

function tryParse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function syntaxProblem(text: string, firstLine: number, error: string, file: string): Problem {
  const position = Number(/at position (\d+)/.exec(error)?.[1] ?? text.length);
  const message = text.trim() === '' ? 'is empty' : `is no JSON: ${error.slice(0, 160)}`;
  return { code: 'json', file, line: firstLine + newlines(text, position), field: '(document)', message };
}

function partOf(value: unknown, text: string, firstLine: number, file: string, problems: Problem[]): JsonPart {
  let untold = 0;
  return {
    value,
    fail(code, path, message, expected) {
      if (problems.length >= MAX_PROBLEMS) {
        untold++;
        const more = { code: 'more', file, field: '(document)', message: `has at least ${untold} more problems` };
        problems[MAX_PROBLEMS] = more;
        return;
      }
      const line = firstLine + newlines(text, offsetOf(text, path));
      problems.push({
        code,
        file,
        line,
        field: fieldPath(path),
        message,
        ...(expected === undefined ? {} : { expected }),
      });
    },
  };
}

function newlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Where the value at `path` stands in a text that is JSON; of the nearest thing above it where there is none. */
function offsetOf(text: string, path: readonly PropertyKey[]): number {
  let at = skipSpace(text, 0);
  for (const part of path) {
    const inside = text[at] === '{' ? memberOf(text, at, String(part)) : elementOf(text, at, Number(part));
    if (inside === null) return at;
    at = inside;
  }
  return at;
}

function memberOf(text: string, open: number, name: string): number | null {
  for (let at = skipSpace(text, open + 1); text[at] === '"';) {
    const end = skipValue(text, at);
    const key = tryParse(text.slice(at, end));
    const value = skipSpace(text, skipSpace(text, end) + 1);
    if (key.ok && key.value === name) return value;
    at = skipSpace(text, skipSpace(text, skipValue(text, value)) + 1);
  }
  return null;
}

function elementOf(text: string, open: number, index: number): number | null {
  if (text[open] !== '[' || !Number.isInteger(index)) return null;
  let at = skipSpace(text, open + 1);
  for (let i = 0; i < index; i++) {
    at = skipSpace(text, skipValue(text, at));
    if (text[at] !== ',') return null;
    at = skipSpace(text, at + 1);
  }
  return text[at] === ']' ? null : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\s\uFEFF]/.test(text[at] ?? '')) at++;
  return at;
}

function skipValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth === 0) return at + 1;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (character === ',' || /\s/.test(character))) return at;
  }
  return text.length;
}
