import type { Problem } from '../../spec/problem.js';
import { isRecord } from '../../spec/rawDocument.js';
import { readJson } from './jsonText.js';
import { shown } from './numbers.js';

/** One sample of the Prometheus text exposition format. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  /** Starts at 1; 0 where the samples are no lines. */
  line: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
/** A value, then perhaps the time and an exemplar. */
const VALUE = /^\s*(\S+)(?:\s+-?[\d.]+)?\s*(?:#.*)?$/;
const SPECIAL = new Map([
  ['+Inf', Infinity],
  ['Inf', Infinity],
  ['-Inf', -Infinity],
  ['NaN', NaN],
]);

/**
 * Reads samples; comments, blank lines and OpenMetrics' `# EOF` are skipped. A line that is none of these is a problem.
 * The answer of Prometheus' `GET /api/v1/query` (JSON, a vector) is read too.
 */
export function parsePrometheusText(text: string, file: string): { samples: Sample[]; problems: Problem[] } {
  if (/^\uFEFF?\s*\{/.test(text)) return parseQueryAnswer(text, file);
  const samples: Sample[] = [];
  const problems: Problem[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return;
    const sample = parseSample(content, index + 1);
    if (typeof sample !== 'string') samples.push(sample);
    else problems.push(problemAt(sample, file, index + 1));
  });
  return { samples, problems };
}

function problemAt(message: string, file: string, line: number): Problem {
  return {
    code: 'prometheus-text',
    file,
    line,
    field: 'sample',
    message,
    expected: 'name{label="value",…} number',
  };
}

function parseSample(content: string, line: number): Sample | string {
  NAME.lastIndex = 0;
  const name = NAME.exec(content)?.[0];
  if (name === undefined) return 'is not a sample of the Prometheus text format';
  let end = name.length;
  const labels = new Map<string, string>();
  const open = /^\s*\{/.exec(content.slice(end, end + 100));
  if (open !== null) {
    const close = readLabels(content, end + open[0].length, labels);
    if (close === null) return `has labels that cannot be read: ${content.slice(end, end + 60)}`;
    end = close;
  } else if (!/^\s/.test(content.slice(end, end + 1))) return 'is not a sample of the Prometheus text format';
  const valueText = VALUE.exec(content.slice(end))?.[1];
  if (valueText === undefined) return 'is not a sample of the Prometheus text format';
  const value = SPECIAL.get(valueText) ?? Number(valueText);
  if (Number.isNaN(value) && valueText !== 'NaN') return `has a value that is no number: ${valueText.slice(0, 60)}`;
  return { name, labels: Object.fromEntries(labels), value, line };
}

/** Returns where the closing brace ends. */
function readLabels(content: string, from: number, labels: Map<string, string>): number | null {
  LABEL.lastIndex = from;
  for (;;) {
    const at = LABEL.lastIndex;
    const match = LABEL.exec(content);
    if (match === null) {
      const rest = /^\s*\}/.exec(content.slice(at, at + 100));
      return rest === null ? null : at + rest[0].length;
    }
    const [, name = '', value = ''] = match;
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c)),
    );
  }
}

function parseQueryAnswer(text: string, file: string): { samples: Sample[]; problems: Problem[] } {
  const { parts, problems } = readJson(text, file);
  const samples: Sample[] = [];
  for (const part of parts) {
    const data = isRecord(part.value) ? part.value['data'] : undefined;
    const result = isRecord(data) ? data['result'] : undefined;
    if (!Array.isArray(result)) {
      part.fail('prometheus-text', ['data', 'result'], `is ${shown(result)}`, 'the vector that a query answers with');
      continue;
    }
    for (const [i, one] of result.entries()) {
      const path = ['data', 'result', i];
      const metric = isRecord(one) ? one['metric'] : undefined;
      const pair: unknown = isRecord(one) ? one['value'] : undefined;
      const valueText: unknown = Array.isArray(pair) ? pair[1] : undefined;
      const value = typeof valueText === 'string' ? (SPECIAL.get(valueText) ?? Number(valueText)) : NaN;
      if (!isRecord(metric)) part.fail('prometheus-text', path, 'has no metric', '{"metric": {…}, "value": […]}');
      else if (Number.isNaN(value)) {
        part.fail('prometheus-text', [...path, 'value'], `is ${shown(valueText)}`, '[time, "number"]');
      } else {
        const labels = Object.entries(metric).filter(
          (label): label is [string, string] => typeof label[1] === 'string',
        );
        const name = Object.fromEntries(labels)['__name__'] ?? '';
        samples.push({ name, labels: Object.fromEntries(labels), value, line: 0 });
      }
    }
  }
  return { samples, problems };
}
