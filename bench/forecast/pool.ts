import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that answers with one line of JSON at a time. */
export interface Task {
  command: string;
  args: readonly string[];
  /** Written to its standard input. */
  input: string;
}

export interface PoolOptions {
  title: string;
  /** Processes at one time. */
  jobs: number;
  /** Lines that are expected of all tasks together. */
  lines: number;
  onLine: (line: string) => void;
}

const TELL_EVERY_MS = 10_000;

/** Runs the tasks, some at a time, and tells on standard error how far they are. Throws when one of them fails. */
export async function runPool(tasks: readonly Task[], options: PoolOptions): Promise<void> {
  const startedMs = Date.now();
  let done = 0;
  let toldMs = startedMs;
  const onLine = (line: string): void => {
    done++;
    options.onLine(line);
    if (Date.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = Date.now();
    tell(options, done, startedMs);
  };
  const waiting = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await run(task, onLine);
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  tell(options, done, startedMs);
}

function tell({ title, lines }: PoolOptions, done: number, startedMs: number): void {
  const seconds = (Date.now() - startedMs) / 1000;
  const left = done > 0 ? (seconds / done) * (lines - done) : Number.NaN;
  const rest = lines > done ? `, about ${duration(left)} left` : `, ${duration(seconds)}`;
  process.stderr.write(`${title}: ${done} of ${lines}${rest}\n`);
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}

async function run({ command, args, input }: Task, onLine: (line: string) => void): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  // One that cannot be started says so while its output is still waited for.
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(String(code ?? signal)));
  });
  // A process that dies early closes its input; its exit code says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  for await (const line of createInterface({ input: child.stdout })) onLine(line);
  const how = await ended;
  if (how !== '0') throw new Error(`${command} ${args.join(' ')} ended with ${how}`);
}

/** The entries in `parts` runs of nearly equal length, none of them empty. */
export function slices<T>(entries: readonly T[], parts: number): T[][] {
  const size = Math.ceil(entries.length / parts);
  return Array.from({ length: parts }, (_, index) => entries.slice(index * size, (index + 1) * size)).filter(
    (slice) => slice.length > 0,
  );
}
