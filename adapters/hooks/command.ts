import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { CommandHookSpec } from '../../core/spec/region.js';
import { HookFailedError } from './port.js';

/** Enough of what a program says last to tell a person what went wrong. */
const KEPT_CHARACTERS = 2000;
const KEPT_LINES = 5;
/** Between asking a program to end and ending it. */
const GRACE_MS = 1000;
/** A program that is gone may have left another behind that keeps its output open. */
const LAST_WORDS_MS = 200;

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs the program without a shell, JSON on its standard input, in a process group of its own that ends with it in time. */
export async function runHook(hook: CommandHookSpec, body: unknown, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const [program = '', ...args] = hook.command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const words = { out: lastWords(child, 'stdout'), err: lastWords(child, 'stderr') };
  // One that reads nothing may end before everything is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${JSON.stringify(body)}\n`);
  const deadline = AbortSignal.timeout(hook.timeoutSeconds * 1000);
  const stop = (): void => endGroup(child);
  const either = AbortSignal.any([signal, deadline]);
  either.addEventListener('abort', stop, { once: true });
  try {
    const { code, signal: killedBy } = await endOf(child, program);
    if (code === 0) return;
    signal.throwIfAborted();
    const how = deadline.aborted
      ? `did not end in ${hook.timeoutSeconds} s and was ended`
      : code === null
        ? `was ended by ${killedBy ?? 'a signal'}`
        : `ended with ${code}`;
    const said = words.err() || words.out();
    throw new HookFailedError(`hook ${program} ${how}${said === '' ? '' : `: ${said}`}`);
  } finally {
    either.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function lastWords(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let kept = '';
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
    kept = `${kept}${chunk}`.slice(-KEPT_CHARACTERS);
  });
  return () => kept.trim().split('\n').slice(-KEPT_LINES).join('\n');
}

function endOf(child: ChildProcess, program: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new HookFailedError(`hook ${program} could not be run: ${error.message}`)));
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => {
      setTimeout(() => resolve({ code, signal }), LAST_WORDS_MS).unref();
    });
  });
}

/** The program and all that it started, first asked, then ended. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  killGroup(pid, 'SIGTERM');
  setTimeout(() => killGroup(pid, 'SIGKILL'), GRACE_MS);
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
