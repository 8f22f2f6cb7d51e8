import { doubled } from './eventQueue.js';

/** What falls due: a call's whole time, one attempt's, or that for a connection. */
export type LaneKind = 'request' | 'perTry' | 'connect';

/**
 * Deadlines that are all so many ms after they are set, and so fall due in the order in which they were set. Most are
 * never met: what has ended by then is passed over. One event of the queue stands for all.
 */
export class Lane {
  readonly number: number;
  readonly kind: LaneKind;
  readonly delayMs: number;
  size = 0;
  /** Its event is in the queue. */
  isScheduled = false;
  private head = 0;
  private times = new Float64Array(1024);
  private items = new Int32Array(1024);
  private stamps = new Uint32Array(1024);

  constructor(number: number, kind: LaneKind, delayMs: number) {
    this.number = number;
    this.kind = kind;
    this.delayMs = delayMs;
  }

  /** `stamp` tells the item from a later one of the same number. */
  push(time: number, item: number, stamp: number): void {
    if (this.size === this.times.length) this.grow();
    const at = (this.head + this.size++) & (this.times.length - 1);
    this.times[at] = time;
    this.items[at] = item;
    this.stamps[at] = stamp;
  }

  headTime(): number {
    return this.times[this.head]!;
  }

  headItem(): number {
    return this.items[this.head]!;
  }

  headStamp(): number {
    return this.stamps[this.head]!;
  }

  drop(): void {
    this.head = (this.head + 1) & (this.times.length - 1);
    this.size--;
  }

  private grow(): void {
    const { head, size } = this;
    const mask = this.times.length - 1;
    const [times, items, stamps] = [this.times, this.items, this.stamps];
    this.times = doubled(times, Float64Array);
    this.items = doubled(items, Int32Array);
    this.stamps = doubled(stamps, Uint32Array);
    for (let i = 0; i < size; i++) {
      const at = (head + i) & mask;
      this.times[i] = times[at]!;
      this.items[i] = items[at]!;
      this.stamps[i] = stamps[at]!;
    }
    this.head = 0;
  }
}
