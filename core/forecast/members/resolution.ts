import { trainSteps } from '../ensemble/backTest.js';
import type { ForecastMember, MemberForecast, Regressor } from './members.js';
import type { Series } from '../series.js';
import { mean } from '../series.js';

/** Finer than this many steps a season, what a model sees between neighbours is noise, and what it costs is not. */
const MOST_SEASON_STEPS = 48;
/** Seasons of evidence at which the shape within a coarse step counts half. */
const HALF_WEIGHT_SEASONS = 3;
/** The shape within a coarse step is taken from so many of the last shortest seasons. */
const SHAPE_SEASONS = 14;

/**
 * How many steps a model should see as one: 1 where the shortest season has at most 48, else the smallest divisor of
 * all seasons that brings it there (5 minutes a day → half hours).
 */
export function coarseFactor(seasons: readonly number[]): number {
  const shortest = seasons[0] ?? 1;
  for (let factor = Math.ceil(shortest / MOST_SEASON_STEPS); factor < shortest / 4; factor++) {
    if (seasons.every((season) => season % factor === 0)) return factor;
  }
  return 1;
}

/**
 * Members on a history whose steps are fine for its seasons: they are made for means of `coarseFactor` steps, and their
 * forecasts are drawn out to single steps again, with the shape that the season usually has within a coarse step.
 */
export function atResolution(
  seasons: readonly number[],
  create: (seasons: readonly number[]) => readonly ForecastMember[],
): ForecastMember[] {
  const factor = coarseFactor(seasons);
  const coarseSeasons = seasons.map((season) => season / factor);
  const members = create(coarseSeasons);
  if (factor === 1) return [...members];
  return members.map((member) => ({
    ...member,
    historySteps: factor * (member.historySteps ?? trainSteps(coarseSeasons)),
    forecast(train, horizonSteps, regressors, seed, learned): MemberForecast {
      const coarse = coarsened(train, factor);
      if (coarse.values.length < 2) return { ok: false, reason: 'the history is shorter than two coarse steps' };
      const steps = Math.ceil(horizonSteps / factor);
      const used = coarse.values.length * factor;
      const known = regressors.map((one): Regressor => ({
        ...one,
        train: means(one.train.slice(one.train.length - used), factor),
        future: means(one.future, factor),
      }));
      const result = member.forecast(coarse, steps, known, seed, learned);
      if (!result.ok) return result;
      return {
        ...result,
        mean: drawnOut(train.values, coarse.values, result.mean, { factor, season: seasons[0] ?? 1, horizonSteps }),
      };
    },
  }));
}

/** Means of `factor` steps; the last ends with the series, and what does not fill one at the beginning is left out. */
function coarsened(series: Series, factor: number): Series {
  const skip = series.values.length % factor;
  return {
    startMs: series.startMs + skip * series.stepMs,
    stepMs: series.stepMs * factor,
    values: means(series.values.slice(skip), factor),
  };
}

function means(values: readonly number[], factor: number): number[] {
  return Array.from({ length: Math.ceil(values.length / factor) }, (_, index) =>
    mean(values.slice(index * factor, (index + 1) * factor)),
  );
}

interface Fineness {
  factor: number;
  /** Shortest season in fine steps. */
  season: number;
  horizonSteps: number;
}

function drawnOut(
  fine: readonly number[],
  coarse: readonly number[],
  ahead: readonly number[],
  { factor, season, horizonSteps }: Fineness,
): number[] {
  const shape = shapeOf(fine, coarse, factor, season);
  const line = interpolated([...coarse.slice(-1), ...ahead], factor).slice(factor);
  // Both run from the end of the history on, so the phase of a step is its place after it.
  return Array.from({ length: horizonSteps }, (_, step) =>
    Math.max(0, (line[step] ?? 0) * (shape[step % season] ?? 1)),
  );
}

/** By phase after the end of the history: demand as a factor of the straight line through the coarse means. */
function shapeOf(fine: readonly number[], coarse: readonly number[], factor: number, season: number): number[] {
  const line = interpolated(coarse, factor);
  const skip = fine.length - line.length;
  const seasons = Math.min(SHAPE_SEASONS, Math.floor(line.length / season));
  const weight = seasons / (seasons + HALF_WEIGHT_SEASONS);
  return Array.from({ length: season }, (_, phase) => {
    let came = 0;
    let drawn = 0;
    for (let back = 1; back <= seasons; back++) {
      const at = line.length - back * season + phase;
      came += fine[skip + at] ?? 0;
      drawn += line[at] ?? 0;
    }
    return drawn > 0 ? 1 + weight * (came / drawn - 1) : 1;
  });
}

/** The straight lines through the middles of coarse steps, at the middles of fine ones. */
function interpolated(coarse: readonly number[], factor: number): number[] {
  return Array.from({ length: coarse.length * factor }, (_, step) => {
    const place = (step + 0.5) / factor - 0.5;
    const left = Math.min(coarse.length - 1, Math.max(0, Math.floor(place)));
    const right = Math.min(coarse.length - 1, left + 1);
    const share = Math.min(1, Math.max(0, place - left));
    return (1 - share) * (coarse[left] ?? 0) + share * (coarse[right] ?? 0);
  });
}
