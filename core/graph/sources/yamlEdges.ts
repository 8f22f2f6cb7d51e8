import { fieldPath } from '../../spec/fieldPath.js';
import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import type { Raw } from '../../spec/rawDocument.js';
import { STATED_CONFIDENCE } from '../edgeSet.js';
import type { EdgeSet, SourcedEdge } from '../edgeSet.js';
import { shown } from './numbers.js';
import { readYaml } from './yamlText.js';
import type { YamlPart } from './yamlText.js';

const SHAPE = 'a list of {caller, callee, callsPerRequest}, or the same under "edges"';
const KEYS = ['caller', 'callee', 'callsPerRequest', 'callsByEntry', 'latency', 'bytesPerCall'];

/**
 * Reads a YAML list of `{caller, callee, callsPerRequest}`, also under the key `edges`. `callsPerRequest` is 1 if absent.
 * May be added: `callsByEntry` (entry service → calls per request), `latency` (`{p50Ms, p99Ms}`) and `bytesPerCall`.
 */
export function parseYamlEdges(text: string, file: string): Result<EdgeSet> {
  const { parts, problems } = readYaml(text, file);
  const edges: SourcedEdge[] = [];
  if (parts.length === 0 && problems.length === 0) problems.push(shapeProblem({ file }));
  for (const part of parts) {
    const isList = Array.isArray(part.value);
    const list: unknown = isList ? part.value : isRecord(part.value) ? part.value['edges'] : undefined;
    if (!Array.isArray(list)) {
      problems.push(shapeProblem(part.placeOf([])));
      continue;
    }
    for (const [i, item] of list.entries()) {
      const edge = readEdge(item, i, { part, isList, file, problems });
      if (edge !== null) edges.push(edge);
    }
  }
  return problems.length > 0 ? refused(problems) : ok({ edges, notes: [] });
}

function shapeProblem(place: ReturnType<YamlPart['placeOf']>): Problem {
  return { code: 'graph-shape', ...place, field: 'edges', message: 'is no list', expected: SHAPE };
}

interface Reading {
  part: YamlPart;
  /** The document is the list itself. */
  isList: boolean;
  file: string;
  problems: Problem[];
}

function readEdge(item: unknown, i: number, reading: Reading): SourcedEdge | null {
  const before = reading.problems.length;
  const fail = (code: string, path: readonly PropertyKey[], message: string, expected?: string): void => {
    const place = reading.part.placeOf(reading.isList ? [i, ...path] : ['edges', i, ...path]);
    const field = fieldPath(['edges', i, ...path]);
    reading.problems.push({ code, ...place, field, message, ...(expected === undefined ? {} : { expected }) });
  };
  if (!isRecord(item)) {
    fail('graph-shape', [], 'is no edge', SHAPE);
    return null;
  }
  const name = (key: 'caller' | 'callee'): string => {
    const value = item[key];
    if (typeof value === 'string' && value !== '') return value;
    fail('graph-edge', [key], 'must name a service');
    return '';
  };
  const number = (value: unknown, path: readonly PropertyKey[]): number => {
    if (typeof value === 'number' && value >= 0 && value !== Infinity) return value;
    fail('graph-edge', path, `is ${shown(value)}`, 'a number ≥ 0');
    return 0;
  };
  const edge: SourcedEdge = {
    caller: name('caller'),
    callee: name('callee'),
    callsPerRequest: Object.hasOwn(item, 'callsPerRequest') ? number(item['callsPerRequest'], ['callsPerRequest']) : 1,
    source: reading.file,
    confidence: STATED_CONFIDENCE,
    basis: 'stated',
    ...readDetails(item, fail, number),
  };
  for (const key of Object.keys(item)) if (!KEYS.includes(key)) fail('graph-edge', [key], 'is unknown');
  return reading.problems.length > before ? null : edge;
}

function readDetails(
  item: Raw,
  fail: (code: string, path: readonly PropertyKey[], message: string, expected?: string) => void,
  number: (value: unknown, path: readonly PropertyKey[]) => number,
): Pick<SourcedEdge, 'callsByEntry' | 'latency' | 'bytesPerCall'> {
  const { callsByEntry, latency, bytesPerCall } = item;
  const details: Pick<SourcedEdge, 'callsByEntry' | 'latency' | 'bytesPerCall'> = {};
  if (isRecord(callsByEntry)) {
    details.callsByEntry = Object.fromEntries(
      Object.entries(callsByEntry).map(([entry, calls]) => [entry, number(calls, ['callsByEntry', entry])]),
    );
  } else if (callsByEntry !== undefined) {
    fail('graph-edge', ['callsByEntry'], `is ${shown(callsByEntry)}`, 'entry service: calls per request');
  }
  if (isRecord(latency)) {
    const p50Ms = number(latency['p50Ms'], ['latency', 'p50Ms']);
    details.latency = { p50Ms, p99Ms: number(latency['p99Ms'], ['latency', 'p99Ms']) };
  } else if (latency !== undefined) fail('graph-edge', ['latency'], `is ${shown(latency)}`, '{p50Ms, p99Ms}');
  if (bytesPerCall !== undefined) details.bytesPerCall = number(bytesPerCall, ['bytesPerCall']);
  return details;
}
