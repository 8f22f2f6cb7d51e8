import type { Problem } from '../core/spec/problem.js';

/** `--input-file x.yaml --input-meta encoding=binary/plain` delivers bytes, a JSON string is text already. */
export function textOf(input: unknown, what: string): string | Problem {
  if (typeof input === 'string') return input;
  if (input instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(input);
    } catch {
      return { code: 'not-utf8', field: '(file)', message: 'the bytes are not UTF-8 text' };
    }
  }
  return {
    code: 'no-text',
    field: '(file)',
    message: `the workflow's input is ${describe(input)}`,
    expected: `the ${what} file's text, as bytes or as one JSON string`,
    fix: `start with --input-file ${what}.yaml --input-meta encoding=binary/plain`,
  };
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'missing';
  if (typeof value === 'object' && 'undecodable' in value) return `not decodable (${JSON.stringify(value)})`;
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}
