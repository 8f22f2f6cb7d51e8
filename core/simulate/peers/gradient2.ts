import type { AdmissionController, AdmissionRequest, AdmissionResponse } from '../control.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { atOwnDoors } from './door.js';
import { istioModel } from './istioModel.js';
import { param } from '../policy.js';

/** Windows with fewer samples are dropped (WindowedLimit's `windowSize`). */
const LEAST_SAMPLES = 10;
/** The long average is a plain one until it has so many. */
const WARM_UP = 10;

/**
 * Netflix' Gradient2 in front of each instance, over windows of a second: the limit is multiplied by the long average
 * of latency over the window's (0.5 to 1), some queueing is allowed, and the step is smoothed.
 */
export const gradient2: TwinPolicy = {
  name: 'gradient2',
  source: 'Netflix concurrency-limits: Gradient2Limit behind WindowedLimit, defaults (Apache-2.0; algorithm only)',
  grid: [
    set({}),
    set({ minLimit: 4, initialLimit: 8 }),
    set({ minLimit: 4, initialLimit: 8, windowMs: 100 }),
    set({ minLimit: 4, initialLimit: 8, queueSize: 2 }),
    set({ minLimit: 4, initialLimit: 8, longWindow: 6000 }),
    set({ minLimit: 4, initialLimit: 8, maxLimit: 40, queueSize: 2, longWindow: 6000 }),
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => ({
    model: istioModel(model),
    admission: atOwnDoors(model, () => new Gradient2(params)),
  }),
};

function set(change: PolicyParams): PolicyParams {
  return {
    initialLimit: 20,
    minLimit: 20,
    maxLimit: 200,
    queueSize: 4,
    smoothing: 0.2,
    longWindow: 600,
    windowMs: 1000,
    ...change,
  };
}

class Gradient2 implements AdmissionController {
  private readonly params: PolicyParams;
  private limit: number;
  private longMs = 0;
  private windows = 0;
  private endsMs = 0;
  private sumMs = 0;
  private count = 0;
  private mostInFlight = 0;

  constructor(params: PolicyParams) {
    this.params = params;
    this.limit = param(params, 'initialLimit');
  }

  onRequest({ inFlight }: AdmissionRequest): boolean {
    if (inFlight >= Math.floor(this.limit)) return false;
    this.mostInFlight = Math.max(this.mostInFlight, inFlight + 1);
    return true;
  }

  onResponse({ nowMs, latencyMs, outcome }: AdmissionResponse): void {
    if (outcome === 'failed' || outcome === 'refused') return;
    this.sumMs += latencyMs;
    this.count++;
    if (nowMs <= this.endsMs) return;
    this.endsMs = nowMs + param(this.params, 'windowMs');
    if (this.count >= LEAST_SAMPLES) this.update(this.sumMs / this.count);
    this.sumMs = 0;
    this.count = 0;
    this.mostInFlight = 0;
  }

  private update(shortMs: number): void {
    const { params } = this;
    this.addToLong(shortMs);
    const long = this.longMs;
    // Latency is back to normal, the long average not yet.
    if (long / shortMs > 2) this.longMs *= 0.9;
    if (this.mostInFlight < this.limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, long / shortMs));
    const smoothing = param(params, 'smoothing');
    const asked = this.limit * gradient + param(params, 'queueSize');
    const next = this.limit * (1 - smoothing) + asked * smoothing;
    this.limit = Math.max(param(params, 'minLimit'), Math.min(param(params, 'maxLimit'), next));
  }

  private addToLong(shortMs: number): void {
    const weight = this.windows < WARM_UP ? 1 / (this.windows + 1) : 2 / (param(this.params, 'longWindow') + 1);
    this.windows++;
    this.longMs += weight * (shortMs - this.longMs);
  }
}
