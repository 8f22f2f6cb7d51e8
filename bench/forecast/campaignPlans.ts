import type { TimedEvent } from '../../core/forecast/events/events.js';
import { createRandom, normal } from '../../core/forecast/random.js';
import type { Series } from '../../core/forecast/series.js';
import type { RealSeries } from './campaignSeries.js';

/** What a kind of campaign truly does, as logarithms of factors on demand; nobody tells the forecast. */
export interface TrueEffect {
  /** Mean effect while it lasts. */
  during: number;
  /** Hours over which it rises to that before the start (the lead); 0: at once. */
  rampHours: number;
  /** Effect in the hours before the ramp, and for how long: people wait, or come early. */
  before: number;
  beforeHours: number;
  /** Time constant of the decay after the end, hours; 0: over at once. */
  decayHours: number;
}

export interface CampaignQuestion {
  id: string;
  seasons: readonly number[];
  history: Series;
  events: readonly TimedEvent[];
  actual: readonly number[];
  /** Steps of the horizon on which the campaign ahead acts, before and after it included. */
  isEvent: readonly boolean[];
  /** Whether the history has campaigns of the kind that is ahead. */
  isSeen: boolean;
  /** True factor on demand of each step of history and horizon; nobody tells the forecast. */
  factors: readonly number[];
  effect: TrueEffect;
}

export const HORIZON_HOURS = 96;
/** An effect below this share of demand leaves an hour ordinary. */
const LEAST_EFFECT = 0.02;
/** Standard deviation of the logarithm of what one campaign does beside what its kind and stated uplift say. */
const VARIATION = 0.05;
/** The same of a stated uplift beside the truth, for all campaigns of a kind together. */
const STATED_BIAS = 0.15;
const SHARE_UNSEEN = 0.25;
const SHARE_STATED = 0.7;

/** One question of a real series: campaigns put into its past and one into its horizon. Chance from the seed alone. */
export function injectCampaigns({ id, series, seasons }: RealSeries, seed: number): CampaignQuestion {
  const chance = createRandom(seed);
  const between = (least: number, most: number): number => least + (most - least) * chance();
  const whole = (least: number, most: number): number => Math.floor(between(least, most + 1));
  const origin = series.values.length - HORIZON_HOURS;
  const hours = whole(8, 36);
  const effect: TrueEffect = {
    during: Math.log1p(between(0.4, 1.5)),
    rampHours: chance() < 0.5 ? whole(2, 8) : 0,
    before: chance() < 0.5 ? Math.log1p(-between(0.08, 0.2)) : 0,
    beforeHours: whole(12, 24),
    decayHours: chance() < 0.75 ? between(3, 14) : 0,
  };
  const isSeen = chance() >= SHARE_UNSEEN;
  const states = !isSeen || chance() < SHARE_STATED;
  const bias = STATED_BIAS * normal(chance);
  const count = isSeen ? whole(3, 5) : 0;
  const first = seasons.at(-1) ?? 24;
  const room = (origin - first) / Math.max(1, count);
  const starts = Array.from({ length: count }, (_, index) =>
    Math.floor(first + room * index + between(0.2, 0.55) * room),
  );
  starts.push(origin + whole(16, 40));
  const factors = series.values.map(() => 0);
  const events = starts.map((start, index): TimedEvent => {
    const height = states ? between(0.7, 1.3) : 1;
    const came = height * (1 + (VARIATION * normal(chance)) / effect.during);
    for (const hour of factors.keys())
      factors[hour] = (factors[hour] ?? 0) + came * effectAt(effect, hour - start, hours);
    const startMs = series.startMs + start * series.stepMs;
    return {
      id: `${id} ${index + 1}`,
      kind: 'campaign',
      startMs,
      endMs: startMs + hours * series.stepMs,
      uplift: states ? Math.expm1(height * effect.during + bias) : undefined,
    };
  });
  const lifted = series.values.map((value, hour) => value * Math.exp(factors[hour] ?? 0));
  return {
    id,
    seasons,
    history: { ...series, values: lifted.slice(0, origin) },
    events,
    actual: lifted.slice(origin),
    isEvent: factors.slice(origin).map((factor) => Math.abs(Math.expm1(factor)) >= LEAST_EFFECT),
    isSeen,
    factors: factors.map(Math.exp),
    effect,
  };
}

/** Logarithm of the factor on demand so many hours after the start of a campaign. */
export function effectAt(effect: TrueEffect, hour: number, hours: number): number {
  const { during, rampHours, before, beforeHours, decayHours } = effect;
  if (hour >= hours) return decayHours > 0 ? during * Math.exp(-(hour - hours + 1) / decayHours) : 0;
  if (hour >= 0) return during;
  if (hour >= -rampHours) return (during * (rampHours + hour + 1)) / (rampHours + 1);
  return hour >= -rampHours - beforeHours ? before : 0;
}
