import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document, Node, Pair, ParsedNode, YAMLMap } from 'yaml';

import { fieldPath } from './fieldPath.js';
import type { Problem } from './problem.js';
import { nestsTooDeep } from './yamlNesting.js';

export const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;
const MAX_DEPTH = 64;

/** A position in the text, counted from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A parsed YAML 1.2 (or JSON) mapping with the way back from a path to its place in the text. */
export interface YamlMapping {
  value: Readonly<Record<string, unknown>>;
  /** Of the value at `path`; of the nearest thing above it that exists when there is none. */
  placeOf(path: readonly PropertyKey[]): Place;
  /** Of the key that ends `path`. */
  placeOfKey(path: readonly PropertyKey[]): Place;
  problems: readonly Problem[];
}

type YamlDocument = Document.Parsed<ParsedNode, boolean>;
type Read = { ok: true; mapping: YamlMapping } | { ok: false; problems: readonly Problem[] };

/**
 * Reads one YAML document whose root is a mapping. Never throws. Duplicate keys are returned beside the value, so
 * that they are told together with everything else; a text that is not YAML at all ends here, because what follows
 * a syntax error is guesswork.
 */
export function readYamlMapping(text: string, file?: string): Read {
  const fail = (code: string, message: string, fix: string, place: Place = { line: 1, column: 1 }): Read => ({
    ok: false,
    problems: [{ code, ...(file === undefined ? {} : { file }), ...place, field: '(document)', message, fix }],
  });
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) return fail('too-large', 'is larger than 1 MiB', 'split it up');
  if (text.trim() === '') return fail('empty', 'is empty', 'start from examples/eu-west/region.yaml');
  if (nestsTooDeep(text, MAX_DEPTH)) return fail('too-deep', `nests deeper than ${MAX_DEPTH} levels`, 'flatten it');
  try {
    return readDocument(text, file, fail);
  } catch (error) {
    // The parser recurses on nesting that the check above cannot see (block collections); running out of stack is
    // the only way left to get here, and a refused input must never end the process that reads it.
    const reason = error instanceof RangeError ? 'nests too deeply' : `cannot be read: ${String(error)}`;
    return fail('yaml-syntax', reason, 'check the indentation and brackets');
  }
}

type Fail = (code: string, message: string, fix: string, place?: Place) => Read;

function readDocument(text: string, file: string | undefined, fail: Fail): Read {
  const lines = new LineCounter();
  // Unique keys are checked below: the parser's own check is quadratic in the number of keys.
  const options = { version: '1.2', strict: true, uniqueKeys: false, prettyErrors: false, lineCounter: lines } as const;
  const documents: readonly YamlDocument[] = parseAllDocuments<ParsedNode, boolean>(text, options);
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [document] = documents;
  if (document === undefined) return fail('empty', 'holds no document', 'write a mapping');
  const second = documents[1];
  if (second !== undefined) {
    const place = at(second.range[0]);
    return fail('several-documents', 'holds several YAML documents', 'keep one region a file', place);
  }
  const syntax = [...document.errors, ...document.warnings].map((error): Problem => {
    const place = at(error.pos[0]);
    return { code: 'yaml-syntax', ...named(file), ...place, field: '(document)', message: firstLine(error.message) };
  });
  if (syntax.length > 0) return { ok: false, problems: syntax };
  const root = document.contents;
  if (!isMap(root)) {
    const place = at(root?.range?.[0] ?? 0);
    return fail('not-a-mapping', `is ${kindOf(root)}, not a mapping`, 'start with "apiVersion: psmg/v1"', place);
  }
  if (countAliases(document) > MAX_ALIASES) {
    return fail('alias-limit', `uses more than ${MAX_ALIASES} aliases`, 'write the values out');
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    return fail('alias-limit', `cannot be expanded: ${firstLine(String(error))}`, 'write the values out');
  }
  const index = keyIndex();
  return {
    ok: true,
    mapping: {
      value: value as Readonly<Record<string, unknown>>,
      placeOf: (path) => at(offsetOf(document, path, false, index)),
      placeOfKey: (path) => at(offsetOf(document, path, true, index)),
      problems: duplicateKeys(document, at, file),
    },
  };
}

function countAliases(document: YamlDocument): number {
  let aliases = 0;
  visit(document, { Alias: () => void aliases++ });
  return aliases;
}

function duplicateKeys(document: YamlDocument, at: (offset: number) => Place, file?: string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const first = new Map<string, Place>();
      for (const pair of map.items) {
        const key = keyText(pair);
        const place = at(rangeStart(pair.key) ?? 0);
        const before = first.get(key);
        if (before === undefined) first.set(key, place);
        else {
          problems.push({
            code: 'duplicate-key',
            ...named(file),
            ...place,
            field: fieldPath([...pathOf(ancestors, map), key]),
            message: `is written twice; the first is on line ${before.line}`,
            fix: 'remove one of the two',
          });
        }
      }
    },
  });
  return problems;
}

function pathOf(ancestors: readonly unknown[], last: unknown): PropertyKey[] {
  const path: PropertyKey[] = [];
  const chain = [...ancestors, last];
  for (const [index, node] of chain.entries()) {
    const next = chain[index + 1];
    if (isPair(node)) path.push(keyText(node));
    else if (isSeq(node) && next !== undefined) path.push(node.items.indexOf(next));
  }
  return path;
}

type KeyIndex = (map: YAMLMap) => ReadonlyMap<string, Pair>;

/** Pairs of a mapping by key, made once each: a file of many wrong keys asks for all of their places. */
function keyIndex(): KeyIndex {
  const made = new WeakMap<YAMLMap, Map<string, Pair>>();
  return (map) => {
    const before = made.get(map);
    if (before !== undefined) return before;
    const pairs = new Map(map.items.map((pair) => [keyText(pair), pair]));
    made.set(map, pairs);
    return pairs;
  };
}

function offsetOf(document: YamlDocument, path: readonly PropertyKey[], ofKey: boolean, index: KeyIndex): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const target: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair: Pair | undefined = index(target).get(String(part));
      if (pair === undefined) return offset;
      const keyOffset = rangeStart(pair.key) ?? offset;
      // A missing or wrong collection is told at the key that announces it, not at the line after it.
      const atKey = isCollection(pair.value) || rangeStart(pair.value) === undefined || isEmptyScalar(pair.value);
      offset = atKey || (ofKey && depth === path.length - 1) ? keyOffset : (rangeStart(pair.value) ?? keyOffset);
      node = pair.value;
    } else if (isSeq(target) && typeof part === 'number') {
      const item: unknown = target.items[part];
      if (item === undefined) return offset;
      offset = rangeStart(item) ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.range !== undefined && node.range !== null && node.range[0] === node.range[1];
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? (pair.key.value === null ? '' : String(pair.key.value)) : String(pair.key);
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function kindOf(node: unknown): string {
  if (isSeq(node)) return 'a list';
  if (node === null || (isScalar(node) && node.value === null)) return 'nothing';
  return 'plain text or a single value';
}

function named(file: string | undefined): { file?: string } {
  return file === undefined ? {} : { file };
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
