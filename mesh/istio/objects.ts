import { LineCounter, isMap, isNode, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';

import { fieldPath } from '../../core/spec/fieldPath.js';
import type { FileSet } from '../../core/spec/artifact.js';
import type { Problem } from '../../core/spec/problem.js';

export type Json = Readonly<Record<string, unknown>>;

/** One object of a file, with the way back to its lines. */
export interface ReadObject {
  file: string;
  apiVersion: string;
  kind: string;
  name: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  spec: Json;
  /** A problem of what stands at `path` below the object. */
  problem(code: string, path: readonly (string | number)[], message: string, more?: Partial<Problem>): Problem;
}

export interface ReadObjects {
  objects: readonly ReadObject[];
  problems: readonly Problem[];
}

/**
 * Every object of every file. Read as YAML 1.1, as Istio and kubectl read it: there `on` and `no` are no texts.
 * ISTIO001 names what is no object at all.
 */
export function readObjects(files: FileSet): ReadObjects {
  const read = Object.entries(files).map(([file, text]) => readFile(file, text));
  return { objects: read.flatMap((one) => one.objects), problems: read.flatMap((one) => one.problems) };
}

function readFile(file: string, text: string): ReadObjects {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { version: '1.1', lineCounter: lines, prettyErrors: false });
  const objects: ReadObject[] = [];
  const problems: Problem[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const line = (path: readonly (string | number)[]): number => lines.linePos(offsetOf(document, path)).line || 1;
    const fail = (message: string, at: number): void => {
      problems.push({ code: 'ISTIO001', file, line: at, field: '(document)', message });
    };
    const [error] = document.errors;
    if (error !== undefined) fail(`is not YAML: ${error.message}`, lines.linePos(error.pos[0]).line || 1);
    else if (document.contents === null) continue;
    else if (!isMap(document.contents)) fail('is no object: apiVersion, kind, metadata and spec', line([]));
    else objects.push(readObject(file, document.toJS() as Json, line));
  }
  return { objects, problems };
}

function readObject(file: string, value: Json, line: (path: readonly (string | number)[]) => number): ReadObject {
  const metadata = record(value['metadata']);
  const kind = String(value['kind'] ?? '');
  const name = text(metadata['name']);
  return {
    file,
    apiVersion: String(value['apiVersion'] ?? ''),
    kind,
    name,
    namespace: text(metadata['namespace']),
    labels: record(metadata['labels']) as Record<string, string>,
    spec: record(value['spec']),
    problem: (code, path, message, more = {}) => ({
      code,
      file,
      line: line(path),
      field: `${kind} ${name}${path.length === 0 ? '' : `: ${fieldPath(path)}`}`,
      message,
      ...more,
    }),
  };
}

/** Where the value at `path` begins; what is nearest above it when there is none. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map((one) => record(one)) : [];
}

export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((one) => String(one)) : [];
}
