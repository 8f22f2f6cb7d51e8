import type { Problem } from '../core/spec/problem.js';
import { formatProblem } from '../core/spec/problem.js';

/** 0 on success, 1 when what was asked does not hold, 2 on bad input. */
export const EXIT = { ok: 0, notSo: 1, badInput: 2 } as const;

/** Results go to stdout; progress and logs to stderr. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints every problem and sets the exit code for bad input. */
export function refuse(problems: readonly Problem[], format: 'text' | 'json' | 'table'): void {
  if (format === 'json') printJson({ problems });
  else for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  process.exitCode = EXIT.badInput;
}
