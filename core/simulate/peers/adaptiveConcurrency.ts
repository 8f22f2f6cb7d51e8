import { createRandom } from '../../forecast/random.js';
import type { AdmissionController, AdmissionRequest, AdmissionResponse } from '../control.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { atOwnDoors } from './door.js';
import { istioModel } from './istioModel.js';
import { param } from '../policy.js';

/** `max_concurrency_limit`. */
const MOST = 1000;
/** Sampling windows in a row at the least limit after which minRTT is measured anew. */
const WINDOWS_AT_LEAST = 5;
/** The gradient is kept between these. */
const GRADIENT = { least: 0.5, most: 2 } as const;

/**
 * Envoy's adaptive_concurrency filter, its gradient controller in the proxy in front of each instance:
 * `limit = gradient × limit + √(gradient × limit)`, `gradient = (minRTT + buffer) / sampleRTT`. Callers repeat what it
 * refuses at another instance, as its documentation advises.
 */
export const adaptiveConcurrency: TwinPolicy = {
  name: 'adaptive-concurrency',
  source: 'Envoy documentation, HTTP filters: Adaptive Concurrency, with its example (p90, 100 ms, 60 s, 50 requests)',
  grid: [
    set({}),
    set({ samplePercentile: 50, jitterPercent: 15 }),
    set({ bufferPercent: 100 }),
    set({ bufferPercent: 100, pins: 0, minConcurrency: 2 }),
    set({ samplePercentile: 50, bufferPercent: 100, minConcurrency: 8, maxRetries: 0 }),
    set({ bufferPercent: 50, minConcurrency: 8, maxRetries: 0 }),
  ],
  create: ({ model, params, seed }: PolicyInput): PolicyRun => {
    const settings = { 'retry.maxPerRequest': param(params, 'maxRetries') };
    return {
      model: istioModel(model, () => ({ settings })),
      admission: atOwnDoors(model, (_, door) => new GradientController(params, createRandom(seed + door))),
    };
  },
};

/** `pins` 0: `min_concurrency_limit` is stated by itself, and the limit stays while minRTT is measured. */
function set(change: PolicyParams): PolicyParams {
  return {
    samplePercentile: 90,
    updateMs: 100,
    minRttIntervalMs: 60_000,
    minRttRequests: 50,
    jitterPercent: 10,
    bufferPercent: 25,
    minConcurrency: 3,
    pins: 1,
    maxRetries: 2,
    ...change,
  };
}

/** Its timers are looked at when a request comes or goes: between two of those they would change nothing. */
export class GradientController implements AdmissionController {
  private readonly params: Readonly<Record<ParamName, number>>;
  private readonly random: () => number;
  private limit: number;
  private minRttMs = 0;
  private samples: number[] = [];
  /** minRTT is measured since; earlier requests tell nothing of it. */
  private measuring = true;
  private epochMs = 0;
  private heldLimit: number;
  private nextUpdateMs = Infinity;
  private nextMinRttMs = Infinity;
  private windowsAtLeast = 0;

  constructor(params: PolicyParams, random: () => number) {
    const named = PARAMS.map((name): [ParamName, number] => [name, param(params, name)]);
    this.params = Object.fromEntries(named) as Record<ParamName, number>;
    this.random = random;
    this.limit = this.params.minConcurrency;
    this.heldLimit = this.limit;
  }

  onRequest({ nowMs, inFlight }: AdmissionRequest): boolean {
    this.passTime(nowMs);
    return inFlight < this.limit;
  }

  onResponse({ nowMs, latencyMs, outcome }: AdmissionResponse): void {
    this.passTime(nowMs);
    if (outcome === 'dropped' || nowMs - latencyMs < this.epochMs) return;
    this.samples.push(latencyMs);
    if (this.measuring && this.samples.length >= this.params.minRttRequests) this.endMinRtt(nowMs);
  }

  private passTime(nowMs: number): void {
    while (!this.measuring && Math.min(this.nextUpdateMs, this.nextMinRttMs) <= nowMs) {
      if (this.nextMinRttMs <= this.nextUpdateMs) this.beginMinRtt(this.nextMinRttMs);
      else if (this.samples.length > 0) this.update();
      else this.skipWindows(nowMs);
    }
  }

  private skipWindows(nowMs: number): void {
    const { updateMs } = this.params;
    const until = Math.min(nowMs, this.nextMinRttMs);
    this.nextUpdateMs += updateMs * (Math.floor((until - this.nextUpdateMs) / updateMs) + 1);
  }

  private beginMinRtt(atMs: number): void {
    this.measuring = true;
    this.heldLimit = this.limit;
    if (this.params.pins !== 0) this.limit = this.params.minConcurrency;
    this.samples = [];
    this.epochMs = atMs;
    this.windowsAtLeast = 0;
  }

  private endMinRtt(nowMs: number): void {
    const { minRttIntervalMs, jitterPercent, updateMs } = this.params;
    this.minRttMs = this.summarise();
    this.measuring = false;
    this.limit = this.heldLimit;
    this.nextMinRttMs = nowMs + minRttIntervalMs * (1 + (this.random() * jitterPercent) / 100);
    this.nextUpdateMs = nowMs + updateMs;
  }

  private update(): void {
    const { bufferPercent, minConcurrency, updateMs } = this.params;
    const raw = (this.minRttMs * (1 + bufferPercent / 100)) / Math.max(this.summarise(), 1e-3);
    const scaled = this.limit * Math.max(GRADIENT.least, Math.min(GRADIENT.most, raw));
    const next = Math.max(minConcurrency, Math.min(MOST, Math.floor(scaled + Math.sqrt(scaled))));
    const stays = this.limit === minConcurrency && next === minConcurrency;
    this.windowsAtLeast = stays ? this.windowsAtLeast + 1 : 0;
    this.limit = next;
    if (this.windowsAtLeast >= WINDOWS_AT_LEAST) this.nextMinRttMs = this.nextUpdateMs;
    this.nextUpdateMs += updateMs;
  }

  /** The percentile of the samples, nearest rank; they are gone afterwards. */
  private summarise(): number {
    const sorted = Float64Array.from(this.samples).sort();
    this.samples = [];
    const rank = Math.ceil((this.params.samplePercentile / 100) * sorted.length);
    return sorted[Math.max(0, rank - 1)] ?? 0;
  }
}

const PARAMS = [
  'samplePercentile',
  'updateMs',
  'minRttIntervalMs',
  'minRttRequests',
  'jitterPercent',
  'bufferPercent',
  'minConcurrency',
  'pins',
] as const;
type ParamName = (typeof PARAMS)[number];
