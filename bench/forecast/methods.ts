import type { ForecastEngines } from '../../core/forecast/createMembers.js';
import { createMembers } from '../../core/forecast/createMembers.js';
import { forecastService } from '../../core/forecast/forecastService.js';
import type { ForecastMember, MemberForecast } from '../../core/forecast/members.js';
import { MODEL_NAMES } from '../../core/forecast/members.js';
import { endMs } from '../../core/forecast/series.js';
import type { ForecastSeries } from '../../core/spec/forecast.js';
import type { Question } from './data.js';

export interface Answer {
  method: string;
  series: ForecastSeries;
  /** Back-test, weights, forecast and calibration, as if this method had run alone. */
  cpuSeconds: number;
}

export const ENSEMBLE = 'ensemble';

/** Each member alone and all of them together, on the same question, back-tested and calibrated alike. */
export function answerAll(question: Question, seasons: readonly number[], engines: ForecastEngines): Answer[] {
  const meter = { replayedSeconds: 0 };
  const members = createMembers(engines, seasons, question.history.values.length).map((member) =>
    remembering(member, meter),
  );
  const known = MODEL_NAMES.flatMap((name) => members.filter((member) => member.name === name));
  return [...known.map((member) => [member]), known].map((used) => {
    meter.replayedSeconds = 0;
    const from = cpuSeconds();
    const series = answer(question, seasons, used);
    const [only] = used;
    const method = used.length === 1 && only !== undefined ? only.name : ENSEMBLE;
    return { method, series, cpuSeconds: cpuSeconds() - from + meter.replayedSeconds };
  });
}

function answer(question: Question, seasons: readonly number[], members: readonly ForecastMember[]): ForecastSeries {
  const steps = forecastService({
    service: question.id,
    history: question.history,
    startMs: endMs(question.history),
    horizonSteps: question.actual.length,
    seasons,
    events: question.events,
    known: question.known,
    members,
    seed: 1,
  });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.series;
  }
}

/** A fit that was made already is replayed, and what it cost is charged again: members are deterministic. */
function remembering(member: ForecastMember, meter: { replayedSeconds: number }): ForecastMember {
  const fits = new Map<string, { forecast: MemberForecast; seconds: number }>();
  return {
    ...member,
    forecast(train, horizonSteps, regressors, seed) {
      const key = `${train.startMs} ${train.values.length} ${horizonSteps}`;
      const known = fits.get(key);
      if (known !== undefined) {
        meter.replayedSeconds += known.seconds;
        return known.forecast;
      }
      const from = cpuSeconds();
      const forecast = member.forecast(train, horizonSteps, regressors, seed);
      fits.set(key, { forecast, seconds: cpuSeconds() - from });
      return forecast;
    },
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
