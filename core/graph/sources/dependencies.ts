import { refused } from '../../spec/problem.js';
import type { Result } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import type { EdgeSet } from '../edgeSet.js';
import { CallSums, edgesOfCounts } from './countedCalls.js';
import { readJson } from './jsonText.js';
import type { JsonPart } from './jsonText.js';
import { countOf, shown } from './numbers.js';

const LINK = '{"parent": …, "child": …, "callCount": …}';

/**
 * Jaeger's `GET /api/dependencies` (`{data: [{parent, child, callCount}]}`) and `/api/v3/dependencies`
 * (`{dependencies: […]}`).
 */
export function parseJaeger(text: string, file: string): Result<EdgeSet> {
  return parseLinks(text, file, (part) => {
    const root = part.value;
    if (isRecord(root)) {
      for (const key of ['data', 'dependencies']) {
        const list = root[key];
        if (Array.isArray(list)) return { list, path: [key] };
      }
    }
    part.fail('graph-shape', [], 'holds no dependencies of Jaeger', `{"data": [${LINK}]}`);
    return null;
  });
}

/** Zipkin's `GET /api/v2/dependencies`: `[{parent, child, callCount, errorCount}]`. */
export function parseZipkin(text: string, file: string): Result<EdgeSet> {
  return parseLinks(text, file, (part) => {
    if (Array.isArray(part.value)) return { list: part.value, path: [] };
    part.fail('graph-shape', [], 'holds no dependencies of Zipkin', `[${LINK}]`);
    return null;
  });
}

type ListOf = (part: JsonPart) => { list: readonly unknown[]; path: readonly PropertyKey[] } | null;

/** Several documents, one a line, are added up: days, say. */
function parseLinks(text: string, file: string, listOf: ListOf): Result<EdgeSet> {
  const { parts, problems } = readJson(text, file);
  const sums = new CallSums();
  for (const part of parts) {
    const found = listOf(part);
    if (found === null) continue;
    for (const [i, link] of found.list.entries()) readLink(part, link, [...found.path, i], sums);
  }
  if (problems.length > 0) return refused(problems);
  const calls = sums.all();
  if (calls.length === 0) {
    return refused([{ code: 'graph-empty', file, field: '(document)', message: 'has no dependency', expected: LINK }]);
  }
  return edgesOfCounts({ source: file, calls, outside: null, notes: [] });
}

function readLink(part: JsonPart, link: unknown, path: readonly PropertyKey[], sums: CallSums): void {
  if (!isRecord(link)) return part.fail('graph-shape', path, `is ${shown(link)}`, LINK);
  const { parent, child, callCount } = link;
  const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (!isName(parent)) part.fail('graph-edge', [...path, 'parent'], 'must name a service');
  if (!isName(child)) part.fail('graph-edge', [...path, 'child'], 'must name a service');
  const count = countOf(callCount);
  if (count === null) part.fail('graph-edge', [...path, 'callCount'], `is ${shown(callCount)}`, 'a count ≥ 0');
  if (isName(parent) && isName(child) && count !== null) sums.add(parent, child, count);
}
