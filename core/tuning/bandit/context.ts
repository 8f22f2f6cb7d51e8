import type { Trust } from '../../spec/forecast.js';
import type { Move } from './coefficients.js';

/** What is known of one service when its coefficients are decided on. `null`: not known, and then nothing is decided. */
export interface DecisionInput {
  /** Requests per second that came, refused ones included. */
  offeredRps: number | null;
  /** The median forecast for the same moment; 0 is a forecast, and one that says nothing of a ratio. */
  forecastRps: number | null;
  /** To the start of the next known event; Infinity: none is known, 0 or less: one is on. */
  secondsToEvent: number | null;
  /** Busy workers over workers, 0–1 and above. */
  utilisation: number | null;
  p99Ms: number | null;
  sloP99Ms: number;
  /** 0–1 */
  errorRate: number | null;
  sloErrorRate: number;
  /** By our limits, of those offered, 0–1. */
  refusedShare: number | null;
  trust: Trust;
}

/** In order; each within −1 and 1. `rung` is of the coefficient that moves and comes with the move. */
export const FEATURES = [
  'one',
  'load',
  'event',
  'utilisation',
  'latency',
  'errors',
  'refused',
  'trust',
  'rung',
] as const;
export type Feature = (typeof FEATURES)[number];
/** What a move is told by: its features, turned by its direction, and one that both directions share. */
export const DIMENSION = FEATURES.length + 1;

/** Half of the reach of an event's shadow. */
const EVENT_SECONDS = 1800;
const RUNGS = 5;
const TRUST: Readonly<Record<Trust, number>> = { high: 1, fair: 2 / 3, low: 1 / 3, none: 0 };

export type Context = Readonly<Record<Exclude<Feature, 'rung'>, number>>;

/** Clipped and scaled to −1…1; `null` where any reading is missing or no number. */
export function contextOf(input: DecisionInput): Context | null {
  const { offeredRps, forecastRps, secondsToEvent, utilisation, p99Ms, errorRate, refusedShare } = input;
  const readings = [offeredRps, forecastRps, utilisation, p99Ms, errorRate, refusedShare];
  if (readings.some((one) => one === null || !Number.isFinite(one))) return null;
  if (secondsToEvent === null || Number.isNaN(secondsToEvent)) return null;
  return {
    one: 1,
    load: logRatio(offeredRps!, forecastRps!),
    event: Math.exp(-Math.max(0, secondsToEvent) / EVENT_SECONDS),
    // 0.7 is where queues begin to tell.
    utilisation: clip((utilisation! - 0.7) / 0.5),
    latency: logRatio(p99Ms!, input.sloP99Ms),
    errors: clip(errorRate! / Math.max(1e-4, input.sloErrorRate) / 10),
    refused: clip(refusedShare! * 4),
    trust: TRUST[input.trust],
  };
}

/** As the posterior takes it. */
export function featuresOf(context: Context, rung: number, { direction }: Move): Float64Array {
  const features = new Float64Array(DIMENSION);
  FEATURES.forEach((name, i) => {
    features[i] = direction * (name === 'rung' ? clip(rung / RUNGS) : context[name]);
  });
  features[DIMENSION - 1] = 1;
  return features;
}

/** A factor of e either way is the end of the scale. */
function logRatio(value: number, reference: number): number {
  if (value <= 0 || reference <= 0) return value > 0 ? 1 : reference > 0 ? -1 : 0;
  return clip(Math.log(value / reference));
}

function clip(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
