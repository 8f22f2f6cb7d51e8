import { NO_SOURCE, SOURCE_HELP } from './historySchema.js';
import { prometheusProblems, serviceLabelProblems } from './prometheusChecks.js';
import type { Raw } from './rawDocument.js';
import { isRecord } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

/** What must hold between the fields of `history`. */
export function historyProblems(document: Raw, services: ReadonlySet<string>): PathProblem[] {
  const history = document['history'];
  if (!isRecord(history)) return [];
  const path = ['history'];
  const { kind, file, prometheus } = history;
  if (file === undefined && prometheus === undefined) return [sourceMissing(kind)];
  const problems: PathProblem[] = [];
  if (file !== undefined && prometheus !== undefined) {
    const message = 'is given, and so is a file';
    const fix = 'keep one of the two';
    problems.push({ code: 'contradiction', path: [...path, 'prometheus'], atKey: true, message, fix });
  } else if (kind === 'csv' || kind === 'prometheus') {
    const meant = prometheus === undefined ? 'csv' : 'prometheus';
    if (kind !== meant) {
      const message = `is ${kind}, but ${meant === 'csv' ? 'a file' : 'a server'} is given`;
      problems.push({ code: 'contradiction', path: [...path, 'kind'], message, fix: 'remove "kind"' });
    }
  }
  if (isRecord(prometheus)) problems.push(...queryProblems(prometheus, services));
  return problems;
}

function sourceMissing(kind: unknown): PathProblem {
  const wanted = kind === 'prometheus' ? 'prometheus' : 'file';
  if (kind === 'csv' || kind === 'prometheus') {
    return { code: 'missing', path: ['history', wanted], message: 'is missing', fix: `add "${wanted}"` };
  }
  return { ...SOURCE_HELP, path: ['history'], message: NO_SOURCE };
}

function queryProblems(server: Raw, services: ReadonlySet<string>): PathProblem[] {
  const path = ['history', 'prometheus'];
  const problems = prometheusProblems(path, server, services);
  const { preset, query, labels } = server;
  if (preset === undefined && query === undefined) {
    const message = 'has neither a preset nor a query';
    problems.push({
      code: 'missing',
      path,
      message,
      expected: 'preset or query',
      fix: 'add one, e.g. "preset: istio"',
    });
  }
  if (preset !== undefined && query !== undefined) {
    const message = 'is given, and so is a preset';
    problems.push({
      code: 'contradiction',
      path: [...path, 'query'],
      atKey: true,
      message,
      fix: 'keep one of the two',
    });
  }
  if (query === undefined) return problems;
  problems.push(...serviceLabelProblems(path, server));
  if (labels !== undefined) {
    const message = 'are added to presets only';
    problems.push({
      code: 'contradiction',
      path: [...path, 'labels'],
      atKey: true,
      message,
      fix: 'write them into the query',
    });
  }
  return problems;
}
