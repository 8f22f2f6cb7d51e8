import type { InstanceState } from '../control.js';
import type { AdmissionController } from '../control.js';
import { TokenBucket } from './tokenBucket.js';

export interface InstanceOptions {
  number: number;
  place: number;
  index: number;
  zone: string;
  workers: number;
  queue: number;
  startupMs: number;
  slowFactor: number;
  /** View number offset of the proxy through which it calls. */
  proxy: number;
  state: InstanceState;
  maxInbound: number;
  retryRps: number;
}

/** One instance: its door, its queue, its workers. */
export class Instance {
  readonly number: number;
  readonly place: number;
  readonly index: number;
  readonly zone: string;
  readonly workers: number;
  readonly queue: number;
  readonly startupMs: number;
  readonly proxy: number;
  state: InstanceState;
  /** Of service times; faults multiply it. */
  factor: number;
  /** Share of failures that a fault adds. */
  errorShare = 0;
  /** Lost: whether connections fail at once, or hang. */
  silent = false;
  /** When its start-up ends. */
  readyAt = 0;
  /** Grows when what it worked on is lost. */
  life = 0;
  busy = 0;
  queued = 0;
  queueHead = -1;
  queueTail = -1;
  /** Behind its door. */
  inside = 0;
  maxInbound: number;
  readonly repeats: TokenBucket;
  controller: AdmissionController | undefined;
  controlled = 0;
  offered = 0;
  refused = 0;
  succeeded = 0;
  failed = 0;
  latencySum = 0;
  queuedMost = 0;
  private busySum = 0;
  private busySince = 0;
  private paidSum = 0;
  private readySum = 0;
  private enteredAt = 0;

  constructor(options: InstanceOptions) {
    this.number = options.number;
    this.place = options.place;
    this.index = options.index;
    this.zone = options.zone;
    this.workers = options.workers;
    this.queue = options.queue;
    this.startupMs = options.startupMs;
    this.factor = options.slowFactor;
    this.proxy = options.proxy;
    this.state = options.state;
    this.maxInbound = options.maxInbound;
    this.repeats = new TokenBucket(options.retryRps, Math.max(1, Math.ceil(options.retryRps)));
  }

  /** It answers: whoever asks gets it to work. */
  isUp(): boolean {
    return this.state === 'ready' || this.state === 'draining';
  }

  takeWorker(now: number): void {
    this.busySum += this.busy * (now - this.busySince);
    this.busySince = now;
    this.busy++;
  }

  giveWorker(now: number): void {
    this.busySum += this.busy * (now - this.busySince);
    this.busySince = now;
    this.busy--;
  }

  /** Since the run began: worker-ms worked; below, ms that it was there (starting or ready), and ready. */
  busyMs(now: number): number {
    return this.busySum + this.busy * (now - this.busySince);
  }

  paidMs(now: number): number {
    return this.paidSum + (isPaid(this.state) ? now - this.enteredAt : 0);
  }

  readyMs(now: number): number {
    return this.readySum + (this.state === 'ready' ? now - this.enteredAt : 0);
  }

  enter(state: InstanceState, now: number): void {
    if (isPaid(this.state)) this.paidSum += now - this.enteredAt;
    if (this.state === 'ready') this.readySum += now - this.enteredAt;
    this.enteredAt = now;
    this.state = state;
  }

  /** All that it worked on and held is gone. */
  loseAll(now: number): void {
    this.busySum += this.busy * (now - this.busySince);
    this.busySince = now;
    this.busy = 0;
    this.queued = 0;
    this.queueHead = -1;
    this.queueTail = -1;
    this.inside = 0;
    this.life++;
  }
}

function isPaid(state: InstanceState): boolean {
  return state === 'starting' || state === 'ready';
}
