import { isCollection, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node } from 'yaml';

import type { Problem } from '../../spec/problem.js';
import { nestsTooDeep } from '../../spec/yamlNesting.js';

const MAX_TEXT_LENGTH = 8 * 1024 * 1024;
const MAX_DEPTH = 100;
const MAX_ALIASES = 1000;

export type Place = Pick<Problem, 'file' | 'line' | 'column'>;

export interface YamlPart {
  value: unknown;
  /** Of the value at `path`, or of the nearest thing above it. */
  placeOf(path: readonly PropertyKey[]): Place;
}

/** Reads every YAML document of a text, with `<<` merged. Never throws. A text with a syntax error is refused whole. */
export function readYaml(text: string, file: string): { parts: YamlPart[]; problems: Problem[] } {
  const refuse = (message: string): { parts: YamlPart[]; problems: Problem[] } => ({
    parts: [],
    problems: [{ code: 'yaml', file, line: 1, field: '(document)', message }],
  });
  if (text.length > MAX_TEXT_LENGTH) return refuse('is larger than 8 MiB');
  if (nestsTooDeep(text, MAX_DEPTH)) return refuse(`nests deeper than ${MAX_DEPTH} levels`);
  try {
    return readDocuments(text, file);
  } catch (error) {
    // Aliases that grow beyond bounds, and nesting of blocks that exhausts the stack.
    return refuse(error instanceof RangeError ? 'nests too deeply' : `cannot be read: ${firstLine(String(error))}`);
  }
}

function readDocuments(text: string, file: string): { parts: YamlPart[]; problems: Problem[] } {
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    uniqueKeys: true,
    merge: true,
    prettyErrors: false,
    logLevel: 'error',
  } as const;
  const documents = parseAllDocuments(text, options) as Document.Parsed[];
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = documents.flatMap((document) =>
    document.errors.slice(0, 20).map((error): Problem => {
      return { code: 'yaml', ...place(error.pos[0]), field: '(document)', message: firstLine(error.message) };
    }),
  );
  if (problems.length > 0) return { parts: [], problems };
  const parts = documents.map((document): YamlPart => ({
    value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown,
    placeOf: (path) => place(offsetOf(document, path)),
  }));
  return { parts, problems };
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const part of path) {
    const inside: unknown = isCollection(node) ? childOf(node, part) : undefined;
    if (inside === undefined || inside === null) return offset;
    node = inside;
    offset = startOf(node) ?? offset;
  }
  return offset;
}

function childOf(node: unknown, part: PropertyKey): unknown {
  if (isSeq(node)) return typeof part === 'number' ? node.items[part] : undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
  return pair?.value ?? pair?.key;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? message).slice(0, 200);
}
