import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningInfluxd } from '../../testbed/influx.js';
import { projectRoot } from '../../testbed/run.js';
import { backfill, measureQueries } from './campaignQueries.js';
import type { Backfill, QueryTime } from './campaignQueries.js';
import { countValues, startStore } from './campaignStores.js';
import type { StoreKind } from './campaignStores.js';
import { verifyRows } from './campaignVerify.js';
import type { Verdict } from './campaignVerify.js';
import type { WriterJob, WriterMessage, WriterReport } from './campaignWriter.js';
import { SECOND_MS } from './load.js';
import type { Load } from './load.js';

export interface CampaignOptions {
  store: StoreKind;
  load: Load;
  seconds: number;
  /** Absent: the server runs all the time. A file cannot be stopped. */
  outage?: Outage;
  /** What is there before the run. */
  backfill: Backfill;
  /** How often each query is timed; 0: not at all. */
  repeat: number;
  drainWithinMs: number;
  /** Folder of its own. */
  directory: string;
  say(line: string): void;
}

/** Seconds since the first row. */
export interface Outage {
  stopAtSeconds: number;
  stoppedForSeconds: number;
  killAtSeconds: number;
}

export interface CampaignResult {
  version: string;
  writer: WriterReport;
  /** Values of the run, counted by the store. */
  stored: number;
  verdict: Verdict;
  queries: readonly QueryTime[];
  /** Of the server's process: most memory in MiB. */
  serverMaxRssMiB: number | null;
  /** When the server was not there, seconds since the first row. */
  outages: readonly { what: 'stopped' | 'killed'; fromSeconds: number; toSeconds: number }[];
}

/** Fills a store, writes to it for a while in a process of its own, counts and reads back, and times queries. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { load, say } = options;
  if (options.outage !== undefined && options.store === 'sqlite') throw new Error('a file cannot be stopped');
  const store = await startStore(options.store, options.directory);
  try {
    const endMs = Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
    const filled = await backfill(store.place, load, endMs, options.backfill, say);
    say(`backfilled ${filled} values`);
    const { place, server } = store;
    const job = { place, load, seconds: options.seconds, drainWithinMs: options.drainWithinMs };
    const { writer, outages } = await write(job, server, options.outage, say);
    const toMs = writer.beginMs + writer.seconds * SECOND_MS;
    const stored = await countValues(place, writer.beginMs, toMs);
    say(`${writer.acknowledged} values acknowledged, ${stored} stored`);
    const verdict = await verifyRows(place, load, writer.beginMs, writer.seconds);
    say(`read back: ${verdict.rows} rows, ${verdict.problems.length} problems`);
    const queries = await measureQueries(place, load, toMs, options.repeat, say);
    return {
      ...{ version: store.version, writer, stored, verdict, queries, outages },
      serverMaxRssMiB: server === undefined ? null : await maxRssMiB(server.pid),
    };
  } finally {
    await store.stop();
  }
}

async function write(
  job: WriterJob,
  server: RunningInfluxd | undefined,
  outage: Outage | undefined,
  say: (line: string) => void,
): Promise<{ writer: WriterReport; outages: CampaignResult['outages'] }> {
  const file = path.join(import.meta.dirname, 'campaignWriter.ts');
  const child = fork(file, [JSON.stringify(job)], {
    cwd: projectRoot,
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  try {
    let outages: Promise<CampaignResult['outages']> = Promise.resolve([]);
    const writer = await new Promise<WriterReport>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`the writer ended (${signal ?? code}) with no report`)));
      child.on('message', (message: WriterMessage) => {
        if (message.event === 'end') return resolve(message.report);
        say(`writing ${job.seconds} s from ${new Date(message.beginMs).toISOString()}`);
        if (server === undefined || outage === undefined) return;
        outages = disturb(server, outage, message.beginMs, say);
        outages.catch(reject);
      });
    });
    return { writer, outages: await outages };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Stops the server for a while and later kills it, by the clock of the run. */
async function disturb(
  server: RunningInfluxd,
  outage: Outage,
  beginMs: number,
  say: (line: string) => void,
): Promise<CampaignResult['outages']> {
  const seconds = (): number => (Date.now() - beginMs) / SECOND_MS;
  const until = async (second: number): Promise<void> => {
    await sleep(Math.max(0, (second - seconds()) * SECOND_MS));
  };
  await until(outage.stopAtSeconds);
  const stopped = { what: 'stopped', fromSeconds: seconds() } as const;
  await server.stop();
  await until(outage.stopAtSeconds + outage.stoppedForSeconds);
  await server.restart();
  const first = { ...stopped, toSeconds: seconds() };
  say(`InfluxDB was stopped from second ${first.fromSeconds.toFixed(1)} to ${first.toSeconds.toFixed(1)}`);
  await until(outage.killAtSeconds);
  const killed = { what: 'killed', fromSeconds: seconds() } as const;
  await server.kill();
  await server.restart();
  const second = { ...killed, toSeconds: seconds() };
  say(`InfluxDB was killed at second ${second.fromSeconds.toFixed(1)} and back at ${second.toSeconds.toFixed(1)}`);
  return [first, second];
}

/** The most that a process of this machine had in memory; null where the system does not say. */
async function maxRssMiB(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? null : Math.round(Number(kibibytes) / 1024);
}
