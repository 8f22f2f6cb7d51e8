import { backOffMs } from './backOff.js';
import { deliver } from './deliver.js';
import { valuesOfLine } from './lineProtocol.js';
import type { FailedState, SendOutcome } from './outcome.js';
import type { DiskQueue } from './queue/diskQueue.js';
import type { QueueBatch } from './queue/segments.js';
import type { SetAside } from './setAside.js';

export interface SenderOptions {
  queue: DiskQueue;
  setAside: SetAside;
  send: (text: string) => Promise<SendOutcome>;
  /** Longest that a value waits for company. */
  flushEveryMs: number;
  /** Values that are worth a request of their own. */
  batchPoints: number;
  log: (line: string) => void;
}

export interface SenderStatus {
  failure: { state: FailedState; words: string; sinceMs: number } | null;
  /** When the server last said anything, by `performance.now`: a clock that is set must not make an old word new. */
  answeredAtMs: number;
  storedPoints: number;
}

/** Takes batches from the queue to the server, in order, until closed; whatever fails is tried again, for ever. */
export interface Sender {
  status(): SenderStatus;
  /** Something was appended. */
  kick(): void;
  /** What another request found: a server that takes rows again is not left waiting. */
  heard(outcome: SendOutcome): void;
  /** Whether the queue ran empty within the time. Gives up at once while the server fails. */
  drained(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** About; keys included. */
const BYTES_PER_VALUE = 40;

export function startSender(options: SenderOptions): Sender {
  return new QueueSender(options);
}

class QueueSender implements Sender {
  private readonly options: SenderOptions;
  private readonly ended: Promise<void>;
  private failure: SenderStatus['failure'] = null;
  private failures = 0;
  private answeredAtMs = -Infinity;
  private storedPoints = 0;
  private closed = false;
  private idle = false;
  /** Somebody waits for the queue to run empty. */
  private urgent = 0;
  /** Ends the pause that the loop is in. */
  private wake: () => void = () => undefined;
  private progress: () => void = () => undefined;
  private progressed: Promise<void>;

  constructor(options: SenderOptions) {
    this.options = options;
    this.progressed = new Promise((resolve) => (this.progress = resolve));
    this.ended = this.run();
  }

  status(): SenderStatus {
    return { failure: this.failure, answeredAtMs: this.answeredAtMs, storedPoints: this.storedPoints };
  }

  kick(): void {
    const enough = this.urgent > 0 || this.options.queue.size().values >= this.options.batchPoints;
    if (this.idle || (this.failure === null && enough)) this.wake();
  }

  heard(outcome: SendOutcome): void {
    this.answeredAtMs = performance.now();
    if (outcome.kind === 'failed') this.note(outcome);
    else if (this.failure !== null) {
      this.recovered();
      this.wake();
    }
  }

  async drained(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    this.urgent += 1;
    try {
      if (this.failure === null) this.wake();
      for (;;) {
        if (this.options.queue.size().bytes === 0) return true;
        const left = deadline - performance.now();
        if (left <= 0 || this.failure !== null || this.closed) return false;
        await within(this.progressed, left);
      }
    } finally {
      this.urgent -= 1;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      const { queue, flushEveryMs, batchPoints, log } = this.options;
      try {
        if (queue.size().bytes === 0) {
          this.idle = true;
          await this.pause(null);
          this.idle = false;
        }
        const few = queue.size().values < batchPoints;
        if (few && this.urgent === 0 && this.failure === null) await this.pause(flushEveryMs);
        if (this.closed) return;
        const batch = await queue.peek(batchPoints * BYTES_PER_VALUE);
        if (batch !== null) await this.sendBatch(batch);
      } catch (error) {
        // The disk failed us: what was not acknowledged is still there.
        log(`metrics queue: ${(error as Error).message}`);
        this.failures += 1;
        await this.pause(backOffMs(this.failures, Math.random));
      }
    }
  }

  private async sendBatch(batch: QueueBatch): Promise<void> {
    const { queue, setAside, send, log } = this.options;
    const { refused, failure } = await deliver(batch.payload.toString('utf8'), send);
    this.answeredAtMs = performance.now();
    if (failure !== null) {
      if (this.closed) return;
      this.note(failure);
      this.failures += 1;
      await this.pause(Math.max(failure.retryAfterMs, backOffMs(this.failures, Math.random)));
      return;
    }
    if (refused.length > 0) {
      await setAside.keep(refused, Date.now());
      log(`metrics: the server refused ${refused.length} lines, set aside: ${refused[0]?.words ?? ''}`);
    }
    await queue.acknowledge(batch);
    this.storedPoints += batch.values - refused.reduce((sum, { line }) => sum + valuesOfLine(line), 0);
    this.recovered();
    this.signalProgress();
  }

  private note(failure: Extract<SendOutcome, { kind: 'failed' }>): void {
    const { state, words } = failure;
    if (this.failure?.state !== state) this.options.log(`metrics: ${state}: ${words}; rows wait on disk`);
    this.failure = { state, words, sinceMs: this.failure?.sinceMs ?? performance.now() };
    this.signalProgress();
  }

  private recovered(): void {
    if (this.failure !== null) this.options.log('metrics: the server takes rows again');
    this.failure = null;
    this.failures = 0;
  }

  private signalProgress(): void {
    this.progress();
    this.progressed = new Promise((resolve) => (this.progress = resolve));
  }

  /** `null`: until woken. */
  private async pause(ms: number | null): Promise<void> {
    if (this.closed) return;
    const woken = new Promise<void>((resolve) => (this.wake = resolve));
    await (ms === null ? woken : within(woken, ms));
    this.wake = () => undefined;
  }
}

/** Rows on disk need no process kept alive for them. */
async function within(event: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms).unref()));
  await Promise.race([event, late]).finally(() => clearTimeout(timer));
}
