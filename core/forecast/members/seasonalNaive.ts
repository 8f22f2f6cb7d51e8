import type { ForecastMember, MemberForecast } from './members.js';

/**
 * Tomorrow is as the same step of the last season was: the longest season that lies twice in the history, else the
 * longest that lies in it once.
 */
export function seasonalNaive(seasons: readonly number[]): ForecastMember {
  return {
    name: 'seasonal-naive',
    forecast({ values }, horizonSteps) {
      const season = longestThatFits(seasons, values.length);
      if (season === undefined) return { ok: false, reason: 'the history is shorter than one season' };
      return repeated(values, season, horizonSteps);
    },
  };
}

/** The same by the shortest season: better where the level moves within a longer one. */
export function shortNaive(seasons: readonly number[]): ForecastMember {
  return {
    name: 'short-naive',
    forecast({ values }, horizonSteps) {
      const season = seasons[0] ?? 1;
      if (season > values.length) return { ok: false, reason: 'the history is shorter than one season' };
      return repeated(values, season, horizonSteps);
    },
  };
}

/** Whether the two above differ on a history of this length. */
export function hasTwoNaives(seasons: readonly number[], length: number): boolean {
  return longestThatFits(seasons, length) !== seasons[0];
}

function longestThatFits(seasons: readonly number[], length: number): number | undefined {
  const fits = (times: number): number | undefined => seasons.findLast((season) => season * times <= length);
  return fits(2) ?? fits(1);
}

function repeated(values: readonly number[], season: number, horizonSteps: number): MemberForecast {
  const from = values.length - season;
  const mean = Array.from({ length: horizonSteps }, (_, step) => values[from + (step % season)] ?? 0);
  return { ok: true, mean };
}
