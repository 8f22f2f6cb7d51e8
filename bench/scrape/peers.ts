/** A sample of the Prometheus text format. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** What anybody writes who reads that format: every line by one expression, its labels by another. */
export function parsePrometheus(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (match === null) throw new TypeError(`no sample: ${line}`);
    const [, name = '', inside = '', value = ''] = match;
    const labels = Object.fromEntries([...inside.matchAll(LABEL)].map(([, label = '', of = '']) => [label, of]));
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}
