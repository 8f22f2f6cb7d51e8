import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from '../../testbed/processes.js';
import { projectRoot, typescriptArgs } from '../../testbed/run.js';

/** `npm start` as its script runs it, in its own process. */
export interface StartRun {
  /** What it has printed so far. */
  output(): string;
  /** Waits until it has printed this. */
  until(pattern: RegExp, withinMs: number): Promise<RegExpMatchArray>;
  /** As Ctrl-C does; resolves with its exit code. */
  interrupt(): Promise<number | null>;
  ended: Promise<number | null>;
  /** Everything that it started, as far as records tell, and what of it runs still. */
  started(): readonly string[];
  survivors(): readonly string[];
  /** With SIGTERM it ends what it started first; with SIGKILL it cannot. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

interface Recorded {
  pid: number;
  identity: string;
}

const LOOK_EVERY_MS = 200;
const KILLED_WITHIN_MS = 45_000;

/** `directory` is where everything of the run goes. */
export function startRun(directory: string, args: readonly string[]): StartRun {
  const child = spawn(process.execPath, [...typescriptArgs('testbed/start.ts'), '--directory', directory, ...args], {
    cwd: projectRoot,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const seen = new Map<string, Recorded>();
  const look = (): void => {
    for (const [name, record] of recordsBelow(directory)) seen.set(`${name} (${record.pid})`, record);
  };
  const watch = setInterval(look, LOOK_EVERY_MS);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      clearInterval(watch);
      resolve(code);
    });
  });
  return {
    output: () => output,
    until: async (pattern, withinMs) => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const found = output.match(pattern);
        if (found !== null) return found;
        if (Date.now() > deadline || child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`was not printed within ${withinMs} ms: ${String(pattern)}\n${output}`);
        }
        await sleep(50);
      }
    },
    interrupt: async () => {
      child.kill('SIGINT');
      return ended;
    },
    ended,
    started: () => [...seen.keys()],
    survivors: () => [
      ...[...seen].filter(([, { pid, identity }]) => processIdentity(pid) === identity).map(([name]) => name),
      ...processesNaming(directory),
    ],
    kill: async (signal) => {
      const runs = (): boolean => child.exitCode === null && child.signalCode === null;
      if (runs()) child.kill(signal);
      await Promise.race([ended, sleep(KILLED_WITHIN_MS, undefined, { ref: false })]);
      if (runs()) child.kill('SIGKILL');
      return ended;
    },
  };
}

/** Without what the test runner and the caller's own Temporal would change. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name !== 'NODE_OPTIONS' && !/^(TEMPORAL|PSMG)_/.test(name),
  );
  // Where the parts are stays as it is.
  const parts = Object.entries(process.env).filter(([name]) => /^PSMG_(?!STATE|DATA|TASK_QUEUE|HEALTH)/.test(name));
  return Object.fromEntries([...kept, ...parts]);
}

function* recordsBelow(directory: string): Generator<[string, Recorded]> {
  for (const folder of ['control/pids', 'world/pids', 'world/neighbour/pids']) {
    for (const file of filesOf(path.join(directory, folder))) {
      const { pid, identity } = readJson<Recorded>(file) ?? {};
      if (pid !== undefined && identity !== undefined) yield [path.basename(file, '.json'), { pid, identity }];
    }
  }
  const hosts = filesOf(path.join(directory, 'world', 'hosts')).map((host) => path.join(host, 'proxy.json'));
  const runs = filesOf(path.join(directory, 'state', 'deployments')).flatMap(filesOf);
  for (const file of [...hosts, ...runs.map((run) => path.join(run, 'supervisor.json'))]) {
    const pid = readJson<{ pid: number }>(file)?.pid;
    const identity = pid === undefined ? null : processIdentity(pid);
    if (pid !== undefined && identity !== null) yield [path.basename(path.dirname(file)), { pid, identity }];
  }
}

/** Processes with a word of this folder on their command line, for those that nobody recorded. Linux alone. */
function processesNaming(directory: string): string[] {
  return filesOf('/proc')
    .filter((folder) => /^\/proc\/\d+$/.test(folder))
    .flatMap((folder) => {
      try {
        const words = readFileSync(path.join(folder, 'cmdline'), 'utf8').split('\0');
        return words.some((word) => word.includes(directory)) ? [words.join(' ').trim()] : [];
      } catch {
        return [];
      }
    });
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

function readJson<T extends object>(file: string): Partial<T> | undefined {
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<T>) : undefined;
  } catch {
    return undefined;
  }
}
