import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessSpec {
  /** Names the log and the record; unique in its folder. */
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Instead of `logs/<name>.log`. */
  logFile?: string;
}

export interface RunningProcess {
  name: string;
  pid: number;
  logFile: string;
  /** Resolves with how it ended, whoever ended it. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  isRunning(): boolean;
  stop(graceMs?: number): Promise<void>;
}

/** What is written of a process so that a later run knows it again. */
interface ProcessRecord {
  pid: number;
  identity: string;
}

/** Started here and not stopped yet: what must not survive this process. */
const alive = new Map<number, { recordFile: string; identity: string | null }>();
let exitHookInstalled = false;

/**
 * Starts processes whose identity is recorded in `folder/pids` and whose output goes to `folder/logs`. Each is the
 * leader of its own group, so that Ctrl-C in a terminal reaches only us and we choose the order in which they end.
 */
export function startProcess(folder: string, spec: ProcessSpec): RunningProcess {
  const logFile = spec.logFile ?? path.join(folder, 'logs', `${spec.name}.log`);
  const recordFile = path.join(folder, 'pids', `${spec.name}.json`);
  mkdirSync(path.dirname(logFile), { recursive: true });
  mkdirSync(path.dirname(recordFile), { recursive: true });
  const log = openSync(logFile, 'a');
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.cwd,
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${spec.name} did not start: ${error.message}`)));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  exited.catch(() => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${spec.name} did not start: ${spec.command}`);
  const identity = processIdentity(pid);
  if (identity !== null) {
    writeFileSync(recordFile, JSON.stringify({ pid, identity } satisfies ProcessRecord));
  }
  alive.set(pid, { recordFile, identity });
  installExitHook();
  void exited.finally(() => forget(pid, recordFile)).catch(() => undefined);
  return {
    name: spec.name,
    pid,
    logFile,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async (graceMs = 5000) => {
      if (child.exitCode === null && child.signalCode === null) {
        await endGroup(pid, graceMs, () => child.exitCode !== null || child.signalCode !== null);
        await exited.catch(() => undefined);
      }
      forget(pid, recordFile);
    },
  };
}

/** Ends what an earlier run left behind in `folder`; never a process that only has the same id. Names of the ended. */
export async function stopLeftovers(folder: string, graceMs = 3000): Promise<readonly string[]> {
  const pids = path.join(folder, 'pids');
  if (!existsSync(pids)) return [];
  const ended = await Promise.all(
    readdirSync(pids).map(async (file) => {
      const recordFile = path.join(pids, file);
      const record = readRecord(recordFile);
      const ours = record !== null && processIdentity(record.pid) === record.identity;
      if (ours) await endGroup(record.pid, graceMs, () => processIdentity(record.pid) !== record.identity);
      rmSync(recordFile, { force: true });
      return ours ? path.basename(file, '.json') : null;
    }),
  );
  return ended.filter((name) => name !== null);
}

/** Runs `stop` once on SIGTERM, SIGINT or SIGHUP, then ends this process. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void stop().then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}

/** Tells a process from a later one with the same id. `null`: no such process. */
export function processIdentity(pid: number): string | null {
  const started = startedAt(pid);
  if (started === null) return null;
  const bootFile = '/proc/sys/kernel/random/boot_id';
  return existsSync(bootFile) ? `started ${started} of boot ${readFileSync(bootFile, 'utf8').trim()}` : started;
}

/** Start time in the system's own form: clock ticks since boot on Linux, a date elsewhere. */
export function startedAt(pid: number): string | null {
  try {
    if (!existsSync('/proc/self/stat')) {
      const said = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
      return said === '' ? null : said;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; after it, state is field 3 and the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function readRecord(file: string): ProcessRecord | null {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessRecord>;
    const { pid, identity } = record;
    return typeof pid === 'number' && typeof identity === 'string' ? { pid, identity } : null;
  } catch {
    return null;
  }
}

async function endGroup(pid: number, graceMs: number, ended: () => boolean): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (!ended() && Date.now() < deadline) await sleep(25);
  // Also when the leader is gone: others of its group may not be.
  signalGroup(pid, 'SIGKILL');
  const last = Date.now() + 2000;
  while (!ended() && Date.now() < last) await sleep(25);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

function forget(pid: number, recordFile: string): void {
  if (alive.delete(pid)) rmSync(recordFile, { force: true });
}

function installExitHook(): void {
  if (exitHookInstalled) return;
  exitHookInstalled = true;
  process.on('exit', () => {
    for (const [pid, { recordFile, identity }] of alive) {
      if (identity !== null && processIdentity(pid) !== identity) continue;
      signalGroup(pid, 'SIGKILL');
      rmSync(recordFile, { force: true });
    }
  });
}
