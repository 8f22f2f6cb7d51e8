const ARITY = 4;
// Taken once: in a context of their own, as tests have, every use of a global is a look-up.
const NEVER = Infinity;

/**
 * What is to happen, by time, of equal times by the order in which it was said. A heap of arity 4 in typed arrays: no
 * event is an object.
 */
export class EventQueue {
  size = 0;
  private times: Float64Array;
  private orders: Float64Array;
  private whats: Int32Array;
  private said = 0;

  constructor(capacity = 4096) {
    this.times = new Float64Array(capacity);
    this.orders = new Float64Array(capacity);
    this.whats = new Int32Array(capacity);
  }

  /** Time of the next event; Infinity where there is none. */
  nextTime(): number {
    return this.size === 0 ? NEVER : this.times[0]!;
  }

  push(time: number, what: number): void {
    if (this.size === this.times.length) this.grow();
    const { times, orders, whats } = this;
    const order = this.said++;
    let at = this.size++;
    while (at > 0) {
      const above = (at - 1) >> 2;
      const other = times[above]!;
      // What is pushed was said last: of equal times it stays below.
      if (other <= time) break;
      times[at] = other;
      orders[at] = orders[above]!;
      whats[at] = whats[above]!;
      at = above;
    }
    times[at] = time;
    orders[at] = order;
    whats[at] = what;
  }

  /** Takes the next event and returns what it is. Only where `size` > 0. */
  pop(): number {
    const { times, orders, whats } = this;
    const what = whats[0]!;
    const last = --this.size;
    if (last === 0) return what;
    const time = times[last]!;
    const order = orders[last]!;
    let at = 0;
    for (;;) {
      const first = at * ARITY + 1;
      if (first >= last) break;
      const end = first + ARITY < last ? first + ARITY : last;
      let least = first;
      let leastTime = times[first]!;
      for (let child = first + 1; child < end; child++) {
        const childTime = times[child]!;
        if (childTime < leastTime || (childTime === leastTime && orders[child]! < orders[least]!)) {
          least = child;
          leastTime = childTime;
        }
      }
      if (time < leastTime || (time === leastTime && order < orders[least]!)) break;
      times[at] = leastTime;
      orders[at] = orders[least]!;
      whats[at] = whats[least]!;
      at = least;
    }
    times[at] = time;
    orders[at] = order;
    whats[at] = whats[last]!;
    return what;
  }

  private grow(): void {
    this.times = doubled(this.times, Float64Array);
    this.orders = doubled(this.orders, Float64Array);
    this.whats = doubled(this.whats, Int32Array);
  }
}

interface Numbers {
  length: number;
  set(from: never): void;
}

/** A copy with room for twice as many. */
export function doubled<T extends Numbers>(from: T, Kind: new (length: number) => T): T {
  const to = new Kind(from.length * 2);
  to.set(from as never);
  return to;
}

/** First in, first out, of whole numbers. */
export class Ring {
  size = 0;
  private head = 0;
  private items: Int32Array;

  constructor(capacity = 1024) {
    this.items = new Int32Array(capacity);
  }

  push(item: number): void {
    if (this.size === this.items.length) this.grow();
    this.items[(this.head + this.size++) & (this.items.length - 1)] = item;
  }

  shift(): number {
    const item = this.items[this.head]!;
    this.head = (this.head + 1) & (this.items.length - 1);
    this.size--;
    return item;
  }

  private grow(): void {
    const items = new Int32Array(this.items.length * 2);
    for (let i = 0; i < this.size; i++) items[i] = this.items[(this.head + i) & (this.items.length - 1)]!;
    this.items = items;
    this.head = 0;
  }
}

/** Events that are all so many ms after they are said, and so come in the order in which they are said. */
export class Conveyor {
  size = 0;
  private head = 0;
  private last = -Infinity;
  private times = new Float64Array(1024);
  private whats = new Int32Array(1024);

  /** Infinity where there is none. */
  nextTime(): number {
    return this.size === 0 ? NEVER : this.times[this.head]!;
  }

  /** Not before what was put on it last: `false`, and it is not taken. */
  push(time: number, what: number): boolean {
    if (time < this.last) return false;
    if (this.size === this.times.length) this.grow();
    const at = (this.head + this.size++) & (this.times.length - 1);
    this.times[at] = time;
    this.whats[at] = what;
    this.last = time;
    return true;
  }

  shift(): number {
    const what = this.whats[this.head]!;
    this.head = (this.head + 1) & (this.times.length - 1);
    this.size--;
    return what;
  }

  private grow(): void {
    const mask = this.times.length - 1;
    const [times, whats] = [this.times, this.whats];
    this.times = doubled(times, Float64Array);
    this.whats = doubled(whats, Int32Array);
    for (let i = 0; i < this.size; i++) {
      this.times[i] = times[(this.head + i) & mask]!;
      this.whats[i] = whats[(this.head + i) & mask]!;
    }
    this.head = 0;
  }
}
