import type { ServiceTime } from '../model.js';
import { PURPOSE, exponential, gaussian, uniform } from './hash.js';

const { exp, log1p, sqrt } = Math;

const CONSTANT = 0;
const EXPONENTIAL = 1;
const LOGNORMAL = 2;
const HYPEREXPONENTIAL = 3;
const QUANTILES = 4;

/** Draws service times of one service, ms. */
export class WorkTime {
  readonly meanMs: number;
  private readonly kind: number;
  private readonly a: number;
  private readonly b: number;
  private readonly c: number;
  private readonly levels: Float64Array;
  private readonly times: Float64Array;

  constructor(time: ServiceTime) {
    this.meanMs = meanOf(time);
    this.levels = Float64Array.from(time.kind === 'quantiles' ? time.levels : []);
    this.times = Float64Array.from(time.kind === 'quantiles' ? time.timesMs : []);
    const { kind, a, b, c } = parameters(time);
    this.kind = kind;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  draw(key: number): number {
    if (this.kind === EXPONENTIAL) return this.a * exponential(key, PURPOSE.work);
    if (this.kind === LOGNORMAL) return exp(this.a + this.b * gaussian(key, PURPOSE.work));
    if (this.kind === CONSTANT) return this.a;
    if (this.kind === HYPEREXPONENTIAL) {
      const mean = uniform(key, PURPOSE.phase) < this.a ? this.b : this.c;
      return mean * exponential(key, PURPOSE.work);
    }
    return this.interpolate(uniform(key, PURPOSE.work));
  }

  private interpolate(level: number): number {
    const { levels, times } = this;
    let low = 0;
    let high = levels.length - 1;
    while (high - low > 1) {
      const between = (low + high) >> 1;
      if (levels[between]! <= level) low = between;
      else high = between;
    }
    const part = (level - levels[low]!) / (levels[high]! - levels[low]!);
    return times[low]! + part * (times[high]! - times[low]!);
  }
}

function parameters(time: ServiceTime): { kind: number; a: number; b: number; c: number } {
  switch (time.kind) {
    case 'constant':
      return { kind: CONSTANT, a: time.meanMs, b: 0, c: 0 };
    case 'exponential':
      return { kind: EXPONENTIAL, a: time.meanMs, b: 0, c: 0 };
    case 'lognormal': {
      const variance = log1p(time.cv * time.cv);
      return { kind: LOGNORMAL, a: Math.log(time.meanMs) - variance / 2, b: sqrt(variance), c: 0 };
    }
    case 'hyperexponential': {
      const cv2 = Math.max(1, time.cv * time.cv);
      const fast = (1 + sqrt((cv2 - 1) / (cv2 + 1))) / 2;
      return { kind: HYPEREXPONENTIAL, a: fast, b: time.meanMs / (2 * fast), c: time.meanMs / (2 * (1 - fast)) };
    }
    case 'quantiles':
      return { kind: QUANTILES, a: 0, b: 0, c: 0 };
  }
}

/** Mean of a service time, ms. */
export function meanOf(time: ServiceTime): number {
  if (time.kind !== 'quantiles') return time.meanMs;
  const { levels, timesMs } = time;
  return levels.slice(1).reduce((sum, level, i) => {
    return sum + ((level - levels[i]!) * (timesMs[i]! + timesMs[i + 1]!)) / 2;
  }, 0);
}
