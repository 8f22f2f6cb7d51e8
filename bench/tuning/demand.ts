import { forecastDemand } from '../../core/forecast/forecast.js';
import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { ModelName } from '../../core/forecast/members/members.js';
import { peaksBySecond } from '../../core/plan/peaks.js';
import type { PeakFactor } from '../../core/plan/capacity/peakFactor.js';
import type { TwinDemand } from '../../core/simulate/model.js';
import type { DemandSample } from '../../core/spec/csvDemand.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { App } from './apps.js';
import { meansOf } from './demandSources.js';
import type { DayName, DemandSources, TraceName } from './demandSources.js';

export const SEGMENT_SECONDS = 600;
/** When a surge begins and ends, seconds of the segment. */
export const SURGE = { fromSeconds: 120, toSeconds: 420 } as const;
const ENTRY = 'entry';
/** Any midnight. */
const EPOCH_MS = Date.UTC(2026, 0, 5);
/** So many seconds before the segment are known, of a day those that end a step before it. */
const PAST_SECONDS = 1800;
const NOISE_MEAN_SECONDS = 61;
/** History of a day that a forecast looks at, hours. */
const MOST_HOURS = 6 * 168;

/** Ten minutes at one entry: what was known before, and what came. In units of the highest step mean before. */
export interface Segment {
  name: string;
  stepSeconds: number;
  seasons: readonly number[];
  /** Steps that the segment is long. */
  horizonSteps: number;
  /** Of simulated time, milliseconds since the epoch: what is forecast is forecast here. */
  originMs: number;
  /** Step means, all before the origin. */
  history: readonly DemandSample[];
  /** Requests by second, all before the origin. */
  pastSeconds: readonly DemandSample[];
  /** Known ahead. */
  events: readonly EventSpec[];
  /** What came, one value a second. */
  actual: readonly number[];
}

export interface Campaign {
  /** What it really did: a factor − 1, from so many seconds of the segment on, over a minute. */
  uplift: number;
  fromSeconds: number;
  /** What was told before; absent: nobody told. */
  told?: number;
}

/** Of a trace from `origin` seconds on, known by the minute up to there. It has no season: ten minutes stand for one. */
export function traceSegment(sources: DemandSources, name: TraceName, origin: number): Segment {
  const trace = sources.traces[name];
  const stepSeconds = 60;
  const steps = meansOf(trace.slice(0, origin), stepSeconds);
  const scale = 1 / Math.max(...meansOf(trace.slice(0, origin), SEGMENT_SECONDS));
  return {
    ...{ name: `${name} ${origin}`, stepSeconds, seasons: [10], horizonSteps: SEGMENT_SECONDS / stepSeconds },
    originMs: EPOCH_MS + origin * 1000,
    history: samples(
      steps.map((value) => value * scale),
      EPOCH_MS,
      stepSeconds * 1000,
    ),
    pastSeconds: samples(
      scaled(trace.slice(0, origin), scale).slice(-PAST_SECONDS),
      EPOCH_MS + Math.max(0, origin - PAST_SECONDS) * 1000,
      1000,
    ),
    events: [],
    actual: scaled(trace.slice(origin, origin + SEGMENT_SECONDS), scale),
  };
}

export interface DayInput {
  day: DayName;
  /** Hour of the series that passes in the segment, six times as fast: an hour is ten minutes. */
  hour: number;
  /** Whose noise, and from which second on. */
  noise: { trace: TraceName; from: number };
  campaign?: Campaign;
}

/** Of a measured day, an hour in ten minutes, with the second-level noise of a trace and a campaign that may be told. */
export function daySegment(sources: DemandSources, input: DayInput): Segment {
  const { day, hour, noise, campaign } = input;
  const { values, valuesPerHour } = sources.days[day];
  const hours = meansOf(values.slice(0, hour * valuesPerHour), valuesPerHour).slice(-MOST_HOURS);
  const scale = 1 / Math.max(...hours.slice(-168));
  const originMs = EPOCH_MS + 7 * 24 * 3_600_000;
  const stepMs = SEGMENT_SECONDS * 1000;
  const ratio = noiseOf(sources.traces[noise.trace]);
  const at = (second: number): number => {
    const place = (hour + second / SEGMENT_SECONDS) * valuesPerHour - 0.5;
    const low = Math.floor(place);
    const [a = 0, b = 0] = [values[Math.max(0, low)], values[low + 1] ?? values[low]];
    return scale * (a + (b - a) * (place - low)) * (ratio[(noise.from + second + 3600) % ratio.length] ?? 1);
  };
  // In the step before the origin the shape already leans to what comes after it.
  const past = Array.from({ length: PAST_SECONDS }, (_, i) => at(i - PAST_SECONDS - SEGMENT_SECONDS));
  const actual = Array.from({ length: SEGMENT_SECONDS }, (_, s) => at(s) * campaignFactor(campaign, s));
  return {
    ...{ name: `${day} h${hour}`, stepSeconds: SEGMENT_SECONDS, seasons: [24, 168], horizonSteps: 1, originMs },
    history: samples(scaled(hours, scale), originMs - hours.length * stepMs, stepMs),
    pastSeconds: samples(past, originMs - (PAST_SECONDS + SEGMENT_SECONDS) * 1000, 1000),
    events: campaign?.told === undefined ? [] : [toldEvent(originMs, campaign.told)],
    actual,
  };
}

function toldEvent(originMs: number, uplift: number): EventSpec {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return { id: 'campaign', kind: 'campaign', start: iso(originMs), end: iso(originMs + 1_200_000), uplift };
}

function campaignFactor(campaign: Campaign | undefined, second: number): number {
  if (campaign === undefined) return 1;
  const share = Math.min(1, Math.max(0, (second - campaign.fromSeconds) / 60));
  return 1 + share * campaign.uplift;
}

/** Each second over the mean of the minute around it. */
export function noiseOf(trace: readonly number[]): number[] {
  const half = (NOISE_MEAN_SECONDS - 1) / 2;
  return trace.map((value, i) => {
    const around = trace.slice(Math.max(0, i - half), i + half + 1);
    const level = around.reduce((sum, one) => sum + one, 0) / around.length;
    return level > 0 ? value / level : 1;
  });
}

function scaled(values: readonly number[], by: number): number[] {
  return values.map((value) => value * by);
}

function samples(values: readonly number[], startMs: number, stepMs: number): DemandSample[] {
  return values.map((rps, i) => ({ at: startMs + i * stepMs, service: ENTRY, rps }));
}

/** What our forecast says before the segment begins, for an entry of this name and size. */
export interface SegmentForecast {
  forecast: DemandForecast;
  /** The median, as policies that look ahead are given it. */
  median: TwinDemand;
  peaks: ReadonlyMap<string, PeakFactor>;
}

const TRACE_MODELS: readonly ModelName[] = ['seasonal-naive', 'lag-regression', 'arima'];
const DAY_MODELS: readonly ModelName[] = ['seasonal-naive', 'lag-regression', 'mstl'];

/** Our ensemble on what was known at the origin, and nothing later. Throws where it refuses. */
export function forecastSegment(segment: Segment, app: Sized, engines: ForecastEngines): SegmentForecast {
  const { entries } = app;
  const made = forecastDemand(
    {
      rows: byEntry(segment.history, app),
      ...{ stepSeconds: segment.stepSeconds, horizonSteps: segment.horizonSteps, seasons: segment.seasons },
      ...{ events: segment.events, regionName: 'bench', services: entries.map(({ service }) => service) },
      ...{ at: segment.originMs, seed: 1, models: segment.horizonSteps > 1 ? TRACE_MODELS : DAY_MODELS },
    },
    engines,
  );
  if (!made.ok) throw new Error(`${segment.name}: ${JSON.stringify(made.problems.slice(0, 3))}`);
  const peaks = peaksBySecond(byEntry(segment.pastSeconds, app), segment.stepSeconds);
  return { forecast: made.value, median: medianOf(made.value, segment.stepSeconds), peaks };
}

/** An app's entries and the size of its demand. */
export type Sized = Pick<App, 'entries' | 'peakRps'>;

function byEntry(rows: readonly DemandSample[], { entries, peakRps }: Sized): DemandSample[] {
  return entries.flatMap(({ service, share }) =>
    rows.map(({ at, rps }) => ({ at, rps: rps * share * peakRps, service })),
  );
}

export function medianOf({ series }: DemandForecast, stepSeconds: number): TwinDemand {
  return {
    entries: series.map(({ service, quantiles }) => ({
      entry: service,
      shape: 'step',
      points: quantiles.p50.map((rps, i) => ({ atMs: i * stepSeconds * 1000, rps })),
    })),
  };
}

/** What came, by the second, with a surge that nobody told: `factor` times as much from `SURGE.fromSeconds` on. */
export function demandOf(segment: Segment, { entries, peakRps }: Sized, surge = 1): TwinDemand {
  return {
    entries: entries.map(({ service, share }) => ({
      entry: service,
      shape: 'step',
      points: segment.actual.map((value, second) => {
        const isSurge = second >= SURGE.fromSeconds && second < SURGE.toSeconds;
        return { atMs: second * 1000, rps: value * share * peakRps * (isSurge ? surge : 1) };
      }),
    })),
  };
}

/** Days that no policy was trained on: the last of each series, and all of the four traces. */
export function testSegments(sources: DemandSources): Segment[] {
  const lastDay = (day: DayName, before: number): number => {
    const { values, valuesPerHour } = sources.days[day];
    return 24 * (Math.floor(values.length / valuesPerHour / 24) - before);
  };
  return [
    traceSegment(sources, 'diurnal', 2400),
    traceSegment(sources, 'diurnal-2', 2400),
    traceSegment(sources, 'noisy', 2400),
    traceSegment(sources, 'bursty', 2400),
    daySegment(sources, {
      ...{ day: 'nasa', hour: lastDay('nasa', 3) + 11, noise: { trace: 'noisy', from: 2000 } },
      campaign: { uplift: 0.6, fromSeconds: 60, told: 0.5 },
    }),
    daySegment(sources, {
      ...{ day: 'twitter', hour: lastDay('twitter', 2) + 18, noise: { trace: 'bursty', from: 2000 } },
      campaign: { uplift: 0.35, fromSeconds: 180 },
    }),
    daySegment(sources, {
      ...{ day: 'bike', hour: lastDay('bike', 4) + 8, noise: { trace: 'diurnal-2', from: 2000 } },
      campaign: { uplift: 0, fromSeconds: 0, told: 0.3 },
    }),
  ];
}

/** Weeks or days earlier, at other hours, with other noise. */
export function trainingSegments(sources: DemandSources): Segment[] {
  return [
    daySegment(sources, { day: 'nasa', hour: 24 * 40 + 15, noise: { trace: 'bursty', from: 200 } }),
    daySegment(sources, {
      ...{ day: 'bike', hour: 24 * 400 + 17, noise: { trace: 'noisy', from: 200 } },
      campaign: { uplift: 0.5, fromSeconds: 240 },
    }),
    daySegment(sources, { day: 'twitter', hour: 24 * 16 + 9, noise: { trace: 'diurnal', from: 200 } }),
  ];
}
