import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../testbed/run.js';

export interface PsmgResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `psmg` as a person does, in its own process. */
export async function psmg(...args: string[]): Promise<PsmgResult> {
  return psmgWith({}, ...args);
}

/** With more in its environment. */
export async function psmgWith(environment: Record<string, string>, ...args: string[]): Promise<PsmgResult> {
  const child = spawn(process.execPath, [path.join(projectRoot, 'bin', 'psmg.js'), ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...environment },
  });
  const result = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      result[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...result }));
  });
}
