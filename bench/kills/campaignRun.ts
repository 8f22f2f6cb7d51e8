import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createRandom } from '../../core/forecast/random.js';
import { waitFor } from '../../testbed/http.js';
import type { RunningProcess } from '../../testbed/processes.js';
import { startProcess } from '../../testbed/processes.js';
import { projectRoot, typescriptArgs } from '../../testbed/run.js';
import { bundleWorkflows } from '../../workers/bundle.js';
import { Judge } from './judge.js';
import type { End, Lived } from './life.js';
import { Life } from './life.js';
import type { Boundary, Pass } from './passes.js';
import { BOUNDARIES, readPasses } from './passes.js';
import { FileServer } from './server.js';

export interface KillOptions {
  folder: string;
  kills: number;
  serverKills: number;
  seed: number;
  /** Lives at a time; while there are kills to come a new one begins where one ends. */
  lives: number;
  expiresMs: number;
  /** Boundaries to go through; all where there are more kills than that. */
  boundaries?: readonly Boundary[];
  say(line: string): void;
}

export interface Kill {
  atMs: number;
  at: Boundary | 'random' | 'server';
  /** Until the activity that was lost had its effect reported; of a random kill, until any had; of a server, until it answered. */
  recoveredMs: number | null;
}

export interface KillResult {
  kills: readonly Kill[];
  lives: number;
  messages: number;
  effects: number;
  /** Decisions that were needed because an activity was lost too often. */
  retries: number;
  /** By life. */
  failures: readonly { life: string; problem: string }[];
  seconds: number;
}

const SHORTER_TIMEOUTS = fileURLToPath(new URL('./shorterTimeouts.ts', import.meta.url));
/** A worker that comes past none of its boundaries within this time is killed where it is. */
const FUSE_MS = 4000;
/** Of workers, one after another, while the server is away. */
const MOST_STARTS = 10;

export async function runKills(options: KillOptions): Promise<KillResult> {
  const campaign = await Campaign.start(options);
  try {
    return await campaign.run();
  } finally {
    await campaign.stop();
  }
}

class Campaign {
  private readonly options: KillOptions;
  private readonly server: FileServer;
  private readonly client: Client;
  private readonly bundle: string;
  private readonly random: () => number;
  private readonly kills: Kill[] = [];
  private readonly lived: { life: string; lived: Lived | Error }[] = [];
  private readonly calm: { life: string; end: End }[] = [];
  private worker: RunningProcess | null = null;
  private spare: { worker: RunningProcess; order: string } | null = null;
  private workers = 0;
  private killing = true;

  private constructor(options: KillOptions, server: FileServer, client: Client, bundle: string) {
    this.options = options;
    this.server = server;
    this.client = client;
    this.bundle = bundle;
    this.random = createRandom(options.seed);
  }

  static async start(options: KillOptions): Promise<Campaign> {
    mkdirSync(options.folder, { recursive: true });
    const [server, built] = await Promise.all([
      FileServer.start(options.folder),
      bundleWorkflows({ interceptors: [SHORTER_TIMEOUTS] }),
    ]);
    const bundle = path.join(options.folder, 'workflows.js');
    if (!('code' in built)) throw new Error('the bundle is no code');
    writeFileSync(bundle, built.code);
    const connection = await Connection.connect({ address: server.address });
    return new Campaign(options, server, new Client({ connection }), bundle);
  }

  async run(): Promise<KillResult> {
    const { lives, say } = this.options;
    const startedMs = Date.now();
    this.worker = await this.startWorker([]);
    const reference = await Promise.all([this.live('calm'), this.live('calm-abort')]);
    for (const { life, lived } of reference) {
      if (lived instanceof Error) throw lived;
      this.calm.push({ life, end: lived.end });
    }
    say(`undisturbed after ${Math.round((Date.now() - startedMs) / 1000)} s`);
    const running = Promise.all(Array.from({ length: lives }, (_, i) => this.liveOn(i)));
    await this.killAll();
    this.killing = false;
    say(`${this.kills.length} kills after ${Math.round((Date.now() - startedMs) / 1000)} s; waiting for the lives`);
    await running;
    return this.judge((Date.now() - startedMs) / 1000);
  }

  async stop(): Promise<void> {
    await this.worker?.stop(5000);
    await this.spare?.worker.stop(5000);
    await this.client.connection.close();
    await this.server.stop();
  }

  private async liveOn(lane: number): Promise<void> {
    for (let i = 0; i === 0 || this.killing; i += 1) {
      const name = `life-${lane}-${i}${(lane + i) % 4 === 3 ? '-abort' : ''}`;
      const one = await this.live(name);
      this.lived.push(one);
      if (one.lived instanceof Error) this.options.say(`${name}: ${wordsOf(one.lived)}`);
    }
  }

  private async live(life: string): Promise<{ life: string; lived: Lived | Error }> {
    const lived = await new Life(this.client, life, this.options.expiresMs)
      .live()
      .catch((error: unknown) => error as Error);
    return { life, lived };
  }

  private async killAll(): Promise<void> {
    const { kills, serverKills, say } = this.options;
    await this.worker?.stop(5000);
    const every = serverKills === 0 ? Infinity : kills / serverKills;
    let servers = 0;
    for (let done = 0; done < kills; done += 1) {
      const killsServer = done + 1 >= every * (servers + 1) - every / 2 && servers < serverKills;
      const killed = this.killOne(done);
      if (killsServer) {
        servers += 1;
        await sleep(this.random() * 3000);
        const atMs = Date.now();
        this.kills.push({ atMs, at: 'server', recoveredMs: await this.server.killAndRestart() });
      }
      await killed;
      if (done % 20 === 19) say(`${done + 1} kills of workers, ${servers} of the server`);
    }
    this.worker = await this.startWorker([]);
  }

  /** Four of five kills are at whichever comes first of the boundaries that had the fewest, the others at any time. */
  private async killOne(number: number): Promise<void> {
    const fuses = number % 5 === 4 ? [] : this.rarest();
    const worker = await this.startWorker(fuses);
    this.worker = worker;
    await Promise.race([worker.exited, sleep(fuses.length === 0 ? 200 + this.random() * 1500 : FUSE_MS)]);
    if (worker.isRunning()) {
      process.kill(worker.pid, 'SIGKILL');
      await worker.exited;
      this.kills.push({ atMs: Date.now(), at: 'random', recoveredMs: null });
      return;
    }
    const { signal } = await worker.exited;
    const last = this.passes().findLast(({ killed }) => killed === true);
    if (signal !== 'SIGKILL' || last === undefined) throw new Error(`a worker ended by itself, see ${worker.logFile}`);
    this.kills.push({ atMs: last.atMs, at: last.boundary, recoveredMs: null });
  }

  private rarest(): readonly Boundary[] {
    const boundaries = this.options.boundaries ?? BOUNDARIES;
    const counts = boundaries.map((boundary) => this.kills.filter(({ at }) => at === boundary).length);
    const fewest = Math.min(...counts);
    return boundaries.filter((_, i) => counts[i] === fewest);
  }

  private passes(): Pass[] {
    return readPasses(path.join(this.options.folder, 'passes.jsonl'));
  }

  /** A worker takes seconds to load: the next one waits for its turn already. One that met no server is replaced. */
  private async startWorker(fuses: readonly Boundary[]): Promise<RunningProcess> {
    for (let attempt = 1; attempt <= MOST_STARTS; attempt += 1) {
      const { worker, order } = this.spare ?? this.loadWorker();
      this.spare = this.loadWorker();
      // At once, or the worker could read half of it.
      writeFileSync(`${order}.new`, fuses.join(' '));
      renameSync(`${order}.new`, order);
      await waitFor(`the worker (see ${worker.logFile})`, 120_000, async () => {
        return Promise.resolve(hasPolled(worker) || !worker.isRunning());
      });
      if (hasPolled(worker)) return worker;
    }
    throw new Error(`no worker starts, see the logs in ${this.options.folder}`);
  }

  private loadWorker(): { worker: RunningProcess; order: string } {
    this.workers += 1;
    const { folder } = this.options;
    const name = `worker-${this.workers}`;
    const order = path.join(folder, `${name}.order`);
    const worker = startProcess(folder, {
      name,
      command: process.execPath,
      args: typescriptArgs('bench/kills/workerMain.ts'),
      cwd: projectRoot,
      env: { ADDRESS: this.server.address, FOLDER: folder, BUNDLE: this.bundle, ORDER: order },
    });
    return { worker, order };
  }

  private async judge(seconds: number): Promise<KillResult> {
    const { folder } = this.options;
    const passes = this.passes();
    const [end, abort] = this.calm;
    if (end === undefined || abort === undefined) throw new Error('there is no undisturbed life');
    const judge = new Judge(folder, { end, abort });
    const failures: { life: string; problem: string }[] = [];
    for (const { life, lived } of this.lived) {
      const problems = lived instanceof Error ? [wordsOf(lived)] : await judge.problemsOf(life, lived);
      for (const problem of problems) failures.push({ life, problem });
    }
    const ended = this.lived.flatMap(({ lived }) => (lived instanceof Error ? [] : [lived]));
    const result = {
      kills: this.kills.map((kill) => ({ ...kill, recoveredMs: kill.recoveredMs ?? recoveryOf(kill, passes) })),
      lives: this.lived.length,
      messages: ended.reduce((sum, { keys }) => sum + keys.length, 0),
      effects: this.lived.reduce((sum, { life }) => sum + judge.effectsOf(life), 0),
      retries: ended.reduce((sum, { retries }) => sum + retries, 0),
      failures,
      seconds,
    };
    await judge.close();
    return result;
  }
}

function hasPolled({ logFile }: RunningProcess): boolean {
  return existsSync(logFile) && readFileSync(logFile, 'utf8').includes('worker polls');
}

/** Of a kill at a boundary: until the same activity of the same life was through. */
function recoveryOf({ atMs, at }: Kill, passes: readonly Pass[]): number | null {
  const [activity] = at.split(':');
  const lost = passes.findLast((pass) => pass.killed === true && pass.boundary === at && pass.atMs <= atMs);
  const sinceMs = lost?.atMs ?? atMs;
  const through = passes.find(({ atMs: passedMs, life, boundary, killed }) => {
    if (passedMs <= sinceMs || killed === true || !boundary.endsWith(':after')) return false;
    return at === 'random' || (life === lost?.life && boundary === `${activity}:after`);
  });
  return through === undefined ? null : through.atMs - sinceMs;
}

function wordsOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${wordsOf(error.cause)}` : error.message;
}
