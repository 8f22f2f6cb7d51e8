/**
 * One thing wrong with an input, told so that a person can mend it.
 * `field` is a dotted path into the document (`services[2].slo.p99Ms`); `line` and `column` start at 1.
 */
export interface Problem {
  code: string;
  file?: string;
  line?: number;
  column?: number;
  field: string;
  message: string;
  expected?: string;
  fix?: string;
}

/** Errors are values in core. A refused input carries every problem found, never only the first. */
export type Result<T> =
  { ok: true; value: T; warnings: readonly Problem[] } | { ok: false; problems: readonly Problem[] };

export function ok<T>(value: T, warnings: readonly Problem[] = []): Result<T> {
  return { ok: true, value, warnings };
}

export function refused<T>(problems: readonly Problem[]): Result<T> {
  return { ok: false, problems };
}

/** `examples/region.yaml:14:7 services[0].slo.p99Ms: must be positive (expected a number > 0). Fix: …` */
export function formatProblem(p: Problem): string {
  const place = [p.file, p.line, p.column].filter((x) => x !== undefined).join(':');
  const expected = p.expected === undefined ? '' : ` (expected ${p.expected})`;
  const fix = p.fix === undefined ? '' : `. Fix: ${p.fix}`;
  return `${place === '' ? '' : `${place} `}${p.field}: ${p.message}${expected}${fix}`;
}
