import type { TwinEntry } from '../model.js';
import type { Arrivals } from './arrivals.js';
import { COUNTERS } from './codes.js';
import { Histogram } from './histogram.js';
import type { Place } from './place.js';

/** A route by which users enter, and what became of their requests. */
export class Entry {
  readonly number: number;
  readonly name: string;
  readonly place: Place;
  readonly deadlineMs: number;
  readonly seed: number;
  readonly arrivals: Arrivals | undefined;
  readonly counters = new Float64Array(COUNTERS);
  readonly window = new Histogram();
  readonly total = new Histogram();
  readonly interval = new Histogram();
  latencySum = 0;

  constructor(options: {
    number: number;
    entry: TwinEntry;
    place: Place;
    seed: number;
    arrivals: Arrivals | undefined;
  }) {
    this.number = options.number;
    this.name = options.entry.name;
    this.place = options.place;
    this.deadlineMs = options.entry.deadlineMs;
    this.seed = options.seed;
    this.arrivals = options.arrivals;
  }
}
