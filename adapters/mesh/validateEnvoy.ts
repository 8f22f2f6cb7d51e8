import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Problem } from '../../core/spec/problem.js';
import { checkEnvoyYaml } from './envoySchema/checkEnvoyConfig.js';

export interface ValidateOptions {
  signal?: AbortSignal;
}

/**
 * Checks a flattened configuration in this process first, which names every problem with its field, and lets the real
 * Envoy read only what passes: it stops at its first objection, but sees what one part asks of another. Resolves to
 * all objections; rejects as `validateWithEnvoy` does.
 */
export async function validateEnvoy(
  binary: string,
  flattenedText: string,
  options: ValidateOptions = {},
): Promise<Problem[]> {
  const problems = checkEnvoyYaml(flattenedText);
  return problems.length > 0 ? problems : validateWithEnvoy(binary, flattenedText, options);
}

/**
 * Lets the real Envoy read a flattened configuration (`--mode validate`): nothing is listened on, nothing is sent.
 * Resolves to its objections, empty when it would run it. Rejects when the binary cannot be run or `signal` aborts.
 */
export async function validateWithEnvoy(
  binary: string,
  flattenedText: string,
  { signal }: ValidateOptions = {},
): Promise<Problem[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'psmg-validate-'));
  const file = path.join(folder, 'flattened.yaml');
  try {
    await writeFile(file, flattenedText);
    const { code, output } = await run(binary, ['--mode', 'validate', '-l', 'error', '-c', file], signal);
    if (code === 0) return [];
    return [{ code: 'envoy-refuses', field: 'envoy', message: objection(output, file) || `ends with code ${code}` }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(binary: string, args: string[], signal?: AbortSignal): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/**
 * Without Envoy's log prefix, the temporary file's name, and the dump of the whole configuration that precedes the
 * reason of a value out of range. Envoy varies the number of spaces on purpose.
 */
function objection(output: string, file: string): string {
  const lines = output
    .replace(/goo\.gle\/debug\w*\s[\s\S]*?\n\}\n: /, '')
    .split('\n')
    .map((line) => line.replace(/^(\[[^\]]*\])+ (\[[^\]]*\] )?/, ''))
    .map((line) => line.replaceAll(file, 'the configuration').replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
  return [...new Set(lines)].join('; ').slice(0, 4000);
}
