import { setTimeout as sleep } from 'node:timers/promises';
import type { MetricsStore, StoreState } from '../../adapters/metrics/port.js';
import { openStore } from './campaignStores.js';
import type { StorePlace } from './campaignStores.js';
import { cpuMs } from './cpu.js';
import { rowsAt, SECOND_MS } from './load.js';
import type { Load } from './load.js';

/** What the writing process is told, as JSON in its one argument. */
export interface WriterJob {
  place: StorePlace;
  load: Load;
  seconds: number;
  /** How long what waits on disk may take to reach the store after the last row. */
  drainWithinMs: number;
}

/** What it says once the rows are written and nothing waits any more, or waited too long. */
export interface WriterReport {
  /** Of the first row; rows of `seconds` seconds follow. */
  beginMs: number;
  seconds: number;
  /** Values whose write resolved. */
  acknowledged: number;
  /** Values whose write rejected, and the first reason. */
  refused: number;
  firstRefusal: string | null;
  /** From the first row to the last acknowledgement. */
  wallMs: number;
  cpuMs: number;
  /** CPU of making the rows alone, which a collector would spend otherwise; it is part of `cpuMs`. */
  loadCpuMs: number;
  /** From the last acknowledgement until nothing waited. */
  drainMs: number;
  drainCpuMs: number;
  /** Milliseconds from the second a row is due to its acknowledgement. */
  ackMs: { p50: number; p99: number; max: number };
  maxRssMiB: number;
  /** RSS at the end of each tenth of the run. */
  rssMiB: readonly number[];
  maxQueuedBytes: number;
  queuedPoints: number;
  storedPoints: number;
  /** Seconds in each state of the store. */
  states: Partial<Record<StoreState, number>>;
}

export type WriterMessage = { event: 'begin'; beginMs: number } | { event: 'end'; report: WriterReport };

const MIB = 1024 * 1024;

/** Rows of every second at their second: late ones at once, so that a store that is slow is not spared. */
async function work(job: WriterJob): Promise<WriterReport> {
  const store = openStore(job.place, 'writer');
  const beginMs = Math.ceil((Date.now() + 200) / SECOND_MS) * SECOND_MS;
  await sleep(beginMs - Date.now());
  send({ event: 'begin', beginMs });
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const [states, acks, rssMiB]: [Partial<Record<StoreState, number>>, number[], number[]] = [{}, [], []];
  let [acknowledged, refused, loadCpuMs, maxQueuedBytes] = [0, 0, 0, 0];
  let firstRefusal: string | null = null;
  for (let index = 0; index < job.seconds; index += 1) {
    const dueMs = beginMs + index * SECOND_MS;
    await sleep(Math.max(0, dueMs - Date.now()));
    const making = process.cpuUsage();
    const rows = rowsAt(job.load, dueMs);
    loadCpuMs += cpuMs(making);
    const values = rows.length * job.load.metrics;
    try {
      await store.write(rows);
      acknowledged += values;
      acks.push(Date.now() - dueMs);
    } catch (error) {
      refused += values;
      firstRefusal ??= String(error);
    }
    const health = await store.health();
    states[health.state] = (states[health.state] ?? 0) + 1;
    maxQueuedBytes = Math.max(maxQueuedBytes, health.queuedBytes);
    const tenths = (count: number): number => Math.floor((count * 10) / job.seconds);
    if (tenths(index + 1) > tenths(index)) rssMiB.push(Math.round(process.memoryUsage.rss() / MIB));
  }
  const written = { wallMs: performance.now() - startedMs, cpuMs: cpuMs(before) };
  const drained = await drain(store, job.drainWithinMs);
  await store.close();
  return {
    ...{ beginMs, seconds: job.seconds, acknowledged, refused, firstRefusal, loadCpuMs, maxQueuedBytes },
    ...{ ...written, ...drained, states, rssMiB, ackMs: spread(acks) },
    maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function drain(
  store: MetricsStore,
  withinMs: number,
): Promise<Pick<WriterReport, 'drainMs' | 'drainCpuMs' | 'queuedPoints' | 'storedPoints'>> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  for (;;) {
    const { queuedPoints, storedPoints } = await store.health();
    const drainMs = performance.now() - startedMs;
    if (queuedPoints === 0 || drainMs > withinMs) {
      return { drainMs, drainCpuMs: cpuMs(before), queuedPoints, storedPoints };
    }
    await sleep(20);
  }
}

function spread(values: readonly number[]): WriterReport['ackMs'] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function send(message: WriterMessage): void {
  process.send?.(message);
}

// Whoever started us is gone: nobody wants the rest.
process.once('disconnect', () => process.exit(1));
const report = await work(JSON.parse(process.argv[2] ?? '') as WriterJob);
process.removeAllListeners('disconnect');
process.send?.({ event: 'end', report } satisfies WriterMessage, () => process.disconnect());
