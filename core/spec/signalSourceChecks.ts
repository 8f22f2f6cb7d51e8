import { prometheusProblems, serviceLabelProblems } from './prometheusChecks.js';
import type { Raw } from './rawDocument.js';
import { isRecord, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

/** What must hold between the fields of `signals`. */
export function signalsProblems(document: Raw, services: ReadonlySet<string>): PathProblem[] {
  const server = record(document, 'signals')['prometheus'];
  if (!isRecord(server)) return [];
  const path = ['signals', 'prometheus'];
  const problems = prometheusProblems(path, server, services);
  if (server['preset'] !== undefined) return problems;
  const queries = record(server, 'queries');
  const given = Object.keys(queries).filter((name) => name !== 'newest');
  if (given.length === 0) {
    const message = 'has neither a preset nor queries';
    problems.push({ code: 'missing', path, message, expected: 'preset or queries', fix: 'add "preset: istio", say' });
    return problems;
  }
  if (queries['newest'] === undefined) {
    const message = 'is missing: without a preset nothing else says how old the samples are';
    const fix = 'add "newest", e.g. max by (service) (timestamp(http_requests_total))';
    problems.push({ code: 'missing', path: [...path, 'queries', 'newest'], message, fix });
  }
  problems.push(...serviceLabelProblems(path, server));
  return problems;
}
