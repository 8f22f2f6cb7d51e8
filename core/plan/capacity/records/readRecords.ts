import { readJson } from '../../../graph/sources/jsonText.js';
import { ok, refused } from '../../../spec/problem.js';
import type { Result } from '../../../spec/problem.js';
import { isAnsibleEvent, isAnsibleRun, recordsOfAnsibleEvents, recordsOfAnsibleRun } from './ansible.js';
import { isKubernetes, recordsOfKubernetes } from './kubernetes.js';
import type { PastDeployment, RecordsRead } from './pastDeployment.js';
import { recordsOfCsv, recordsOfJson } from './table.js';

/**
 * Records of past deployments from a text of any kind that docs/deployment-records.md names; the kind is told by what
 * the text holds. Every problem at once, each with its line and field; never throws.
 */
export function readDeploymentRecords(text: string, file: string): Result<readonly PastDeployment[]> {
  const { records, problems } = readAny(text, file);
  if (problems.length > 0) return refused(problems);
  if (records.length === 0) {
    const expected = 'docs/deployment-records.md';
    return refused([{ code: 'empty', file, line: 1, field: '(file)', message: 'holds no records', expected }]);
  }
  return ok(records);
}

function readAny(text: string, file: string): RecordsRead {
  if (/^[\s\uFEFF]*[[{]/.test(text)) return fromJson(text, file);
  if (/^\uFEFF?(?:---\s*\n|#.*\n|\s*\n)*apiVersion\s*:/.test(text)) {
    const message = 'is Kubernetes YAML, which is not read';
    return { records: [], problems: [{ code: 'kind', file, line: 1, field: '(file)', message, fix: 'use "-o json"' }] };
  }
  return recordsOfCsv(text, file);
}

function fromJson(text: string, file: string): RecordsRead {
  const { parts, problems } = readJson(text, file);
  const [first] = parts;
  if (first === undefined) return { records: [], problems };
  const read = (): readonly PastDeployment[] => {
    if (isKubernetes(first.value)) return parts.flatMap(recordsOfKubernetes);
    if (isAnsibleRun(first.value))
      return parts.flatMap((part) => (isAnsibleRun(part.value) ? recordsOfAnsibleRun(part) : []));
    return isAnsibleEvent(first.value) ? recordsOfAnsibleEvents(parts) : recordsOfJson(parts);
  };
  return { records: read(), problems };
}
