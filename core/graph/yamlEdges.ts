import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node } from 'yaml';

import { ok, refused } from '../spec/problem.js';
import type { Problem, Result } from '../spec/problem.js';
import { STATED_CONFIDENCE } from './edgeSet.js';
import type { EdgeSet, SourcedEdge } from './edgeSet.js';

const SHAPE = 'a list of {caller, callee, callsPerRequest}, or the same under "edges"';

/** Reads a YAML list of `{caller, callee, callsPerRequest}`, also under the key `edges`. `callsPerRequest` is 1 if absent. */
export function parseYamlEdges(text: string, file: string): Result<EdgeSet> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (node: unknown): Pick<Problem, 'file' | 'line' | 'column'> => {
    const range = (node as Node | null)?.range;
    if (range === null || range === undefined) return { file };
    const { line, col } = lines.linePos(range[0]);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    return refused(
      document.errors.map((error) => ({
        code: 'yaml',
        file,
        line: error.linePos?.[0].line,
        column: error.linePos?.[0].col,
        field: 'edges',
        message: error.message.split('\n')[0] ?? 'cannot be read',
      })),
    );
  }
  const root = document.contents;
  const list = isMap(root) ? root.get('edges', true) : root;
  if (!isSeq(list)) {
    return refused([{ code: 'graph-shape', ...place(root), field: 'edges', message: 'is no list', expected: SHAPE }]);
  }
  const edges: SourcedEdge[] = [];
  const problems: Problem[] = [];
  list.items.forEach((item, i) => {
    const edge = readEdge(item, `edges[${i}]`, file, place);
    if (Array.isArray(edge)) problems.push(...edge);
    else edges.push(edge);
  });
  return problems.length > 0 ? refused(problems) : ok({ edges, notes: [] });
}

function readEdge(
  item: unknown,
  field: string,
  file: string,
  place: (node: unknown) => Pick<Problem, 'file' | 'line' | 'column'>,
): SourcedEdge | Problem[] {
  if (!isMap(item)) return [{ code: 'graph-shape', ...place(item), field, message: 'is no edge', expected: SHAPE }];
  const problems: Problem[] = [];
  const name = (key: 'caller' | 'callee'): string => {
    const value: unknown = item.get(key);
    if (typeof value === 'string' && value !== '') return value;
    const node = item.get(key, true) ?? item;
    problems.push({ code: 'graph-edge', ...place(node), field: `${field}.${key}`, message: 'must name a service' });
    return '';
  };
  const [caller, callee] = [name('caller'), name('callee')];
  const calls: unknown = item.has('callsPerRequest') ? item.get('callsPerRequest') : 1;
  if (typeof calls !== 'number' || !(calls >= 0) || calls === Infinity) {
    problems.push({
      code: 'graph-edge',
      ...place(item.get('callsPerRequest', true)),
      field: `${field}.callsPerRequest`,
      message: `is ${JSON.stringify(calls)}`,
      expected: 'a number ≥ 0',
    });
  }
  for (const pair of item.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if (['caller', 'callee', 'callsPerRequest'].includes(key)) continue;
    problems.push({ code: 'graph-edge', ...place(pair.key), field: `${field}.${key}`, message: 'is unknown' });
  }
  if (problems.length > 0 || typeof calls !== 'number') return problems;
  return { caller, callee, callsPerRequest: calls, source: file, confidence: STATED_CONFIDENCE };
}
