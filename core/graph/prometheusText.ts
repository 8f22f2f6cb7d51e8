import type { Problem } from '../spec/problem.js';

/** One sample of the Prometheus text exposition format. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  /** Starts at 1. */
  line: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?(?:\s*#.*)?$/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;

/** Reads samples; comments, blank lines and OpenMetrics' `# EOF` are skipped. A line that is none of these is a problem. */
export function parsePrometheusText(text: string, file: string): { samples: Sample[]; problems: Problem[] } {
  const samples: Sample[] = [];
  const problems: Problem[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return;
    const sample = parseSample(content, index + 1);
    if (typeof sample !== 'string') {
      samples.push(sample);
      return;
    }
    problems.push({
      code: 'prometheus-text',
      file,
      line: index + 1,
      field: 'sample',
      message: sample,
      expected: 'name{label="value",…} number',
    });
  });
  return { samples, problems };
}

function parseSample(content: string, line: number): Sample | string {
  const match = SAMPLE.exec(content);
  if (match === null) return 'is not a sample of the Prometheus text format';
  const [, name = '', labelText = '', valueText = ''] = match;
  const labels = parseLabels(labelText);
  if (labels === null) return `has labels that cannot be read: {${labelText}}`;
  const value = parseValue(valueText);
  if (value === null) return `has a value that is no number: ${valueText}`;
  return { name, labels, value, line };
}

function parseLabels(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) return text.trim() === '' ? labels : null;
    const [, name = '', value = ''] = match;
    labels[name] = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

function parseValue(text: string): number | null {
  const special: Record<string, number> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity, NaN: NaN };
  if (text in special) return special[text] ?? null;
  const value = Number(text);
  return Number.isNaN(value) ? null : value;
}
