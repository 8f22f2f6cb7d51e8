import { spawn } from 'node:child_process';

export interface RunOutcome {
  /** Null when the program could not be started or was ended by a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  environment?: Readonly<Record<string, string | undefined>>;
  timeoutMs?: number;
  cwd?: string;
  /** Interrupts the program, which then ends as it does on Ctrl-C. */
  signal?: AbortSignal;
}

/** Runs a program to its end without a shell. Never rejects: a program that cannot be started has code null. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunOutcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...options.environment },
      cwd: options.cwd,
      signal: options.signal,
      killSignal: 'SIGINT',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not spawn's own time-out: its timer runs on, and keeps us alive, when the program could not be started.
    const timer =
      options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    let stdout = '';
    let stderr = '';
    const end = (code: number | null, more = ''): void => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr: stderr + more });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error) => end(null, error.message));
    child.once('close', (code) => end(code));
  });
}

/** Last line that says something, for an error of one line. */
export function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '') ?? 'no message';
}
