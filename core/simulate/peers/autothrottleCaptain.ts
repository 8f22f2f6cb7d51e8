import { mean } from '../../forecast/series.js';
import type { InstanceView } from '../control.js';

/** Periods between decisions, and those whose use is remembered. */
const DECIDE_PERIODS = 10;
const USE_PERIODS = 50;
/** Scales up at once beyond so many times the target. */
const UP_OVER_TARGET = 3;
/** Scales down only where so much is saved, and at most to so much. */
const DOWN_BELOW = 0.9;
const DOWN_FLOOR = 0.5;

/** Keeps the share of periods with waiting requests of one service at a target, by its number of instances. */
export class Captain {
  readonly service: string;
  target: number | undefined = 0;
  private readonly workers: number;
  private readonly most: number;
  /** Workers it asks for; instances are whole. */
  private quota: number;
  private margin = 0;
  private use: number[] = [];
  private waiting: number[] = [];
  private before: number | undefined;

  constructor(options: { service: string; workers: number; most: number; instances: number }) {
    this.service = options.service;
    this.workers = options.workers;
    this.most = options.most;
    this.quota = options.instances * options.workers;
  }

  get instances(): number {
    return Math.max(1, Math.min(this.most, Math.ceil(this.quota / this.workers - 1e-9)));
  }

  get workersPaid(): number {
    return this.instances * this.workers;
  }

  /** One period of the service's instances. */
  see(views: readonly InstanceView[]): void {
    const ready = views.filter(({ state }) => state === 'ready');
    const busy = ready.reduce((sum, { utilisation }) => sum + utilisation * this.workers, 0);
    const full = ready.filter(({ queued }) => queued > 0).length;
    this.use = [...this.use, busy].slice(-USE_PERIODS);
    this.waiting.push(ready.length > 0 ? full / ready.length : 1);
    if (this.waiting.length < DECIDE_PERIODS) return;
    const ratio = mean(this.waiting);
    this.waiting = [];
    this.decide(ratio, this.target ?? 0);
  }

  private decide(ratio: number, target: number): void {
    this.margin = Math.max(0, this.margin + ratio - target);
    const { before } = this;
    this.before = undefined;
    if (ratio > UP_OVER_TARGET * target) {
      if (before === undefined) this.quota *= 1 + ratio - UP_OVER_TARGET * target;
      else this.rollBack(before, ratio - target);
    } else this.scaleDown();
    this.quota = Math.min(this.quota, this.most * this.workers);
  }

  /** It was taken too much: back, and as much more. */
  private rollBack(before: number, excess: number): void {
    this.quota = 2 * before - this.quota;
    this.margin += excess;
  }

  private scaleDown(): void {
    const proposed = Math.max(...this.use) + deviation(this.use) * this.margin;
    if (proposed > DOWN_BELOW * this.quota) return;
    this.before = this.quota;
    this.quota = Math.max(proposed, DOWN_FLOOR * this.quota);
  }
}

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
