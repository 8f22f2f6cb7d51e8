import type { ForecastEngines } from '../../core/forecast/members/createMembers.js';
import { createMembers } from '../../core/forecast/members/createMembers.js';
import type { ServiceChoice } from '../../core/forecast/ensemble/choice.js';
import type { DraftOutcome, ServiceJob } from '../../core/forecast/ensemble/draft.js';
import { draftService } from '../../core/forecast/ensemble/draft.js';
import type { ForecastMember, MemberForecast } from '../../core/forecast/members/members.js';
import { MODEL_NAMES } from '../../core/forecast/members/members.js';
import { endMs } from '../../core/forecast/series.js';
import type { Question } from './data.js';

/** What one method says to one question, before the set is calibrated. Plain data. */
export interface Answer {
  method: string;
  questionId: string;
  outcome: DraftOutcome;
  /** CPU seconds of back-test, weights and forecast, as if this method had run alone. */
  firstSeconds: number;
  /** CPU seconds of a re-forecast with members and weights chosen. */
  againSeconds: number;
}

export const ENSEMBLE = 'ensemble';

/** Forecasts that were made already, by series and member; members are deterministic. */
export interface Memory {
  fits: Map<string, { forecast: MemberForecast; seconds: number }>;
  replayedSeconds: number;
}

export function jobOf(question: Question, seasons: readonly number[]): ServiceJob {
  return {
    service: question.id,
    history: question.history,
    startMs: endMs(question.history),
    horizonSteps: question.actual.length,
    seasons,
    events: question.events,
    known: question.known,
    seed: 1,
  };
}

/** Each member alone and all of them together, on the same question and the same back-test origins. */
export function answerAll(
  question: Question,
  seasons: readonly number[],
  engines: ForecastEngines,
  memory: Memory = { fits: new Map(), replayedSeconds: 0 },
): Answer[] {
  // A failure may come from what another question did to an engine: it is not remembered.
  for (const [key, { forecast }] of memory.fits) if (!forecast.ok) memory.fits.delete(key);
  const members = createMembers(engines, seasons, question.history.values.length).map((member) =>
    remembering(member, question.seriesId, memory),
  );
  const known = MODEL_NAMES.flatMap((name) => members.filter((member) => member.name === name));
  return [...known.map((member) => [member]), known].map((used) => {
    const job = jobOf(question, seasons);
    const first = timed(memory, () => answer(job, used));
    const kept = first.outcome.kind === 'draft' ? first.outcome.draft.choice : undefined;
    const again = kept === undefined ? first : timed(memory, () => answer(job, used, kept));
    const [only] = used;
    const method = used.length === 1 && only !== undefined ? only.name : ENSEMBLE;
    const { outcome } = first;
    return { method, questionId: question.id, outcome, firstSeconds: first.seconds, againSeconds: again.seconds };
  });
}

/** The one place where the program under test is asked. */
export function answer(job: ServiceJob, members: readonly ForecastMember[], kept?: ServiceChoice): DraftOutcome {
  const steps = draftService({ ...job, ...(kept === undefined ? {} : { kept }) }, members);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function timed(memory: Memory, run: () => DraftOutcome): { outcome: DraftOutcome; seconds: number } {
  memory.replayedSeconds = 0;
  const from = cpuSeconds();
  const outcome = run();
  return { outcome, seconds: cpuSeconds() - from + memory.replayedSeconds };
}

/** A fit that was made already is replayed, and what it cost is charged again. */
function remembering(member: ForecastMember, seriesId: string, memory: Memory): ForecastMember {
  return {
    ...member,
    forecast(train, horizonSteps, regressors, seed, learned) {
      const given = [train.values, ...regressors.flatMap((one) => [one.train, one.future])].map(checksum).join();
      const key = `${member.name} ${seriesId} ${train.startMs} ${train.values.length} ${horizonSteps} ${given} ${learned ?? ''}`;
      const known = memory.fits.get(key);
      if (known !== undefined) {
        memory.replayedSeconds += known.seconds;
        return known.forecast;
      }
      const from = cpuSeconds();
      const forecast = member.forecast(train, horizonSteps, regressors, seed, learned);
      memory.fits.set(key, { forecast, seconds: cpuSeconds() - from });
      return forecast;
    },
  };
}

/** Tells apart what a change of the rules for events or outliers makes of the same steps. */
function checksum(values: readonly number[]): number {
  return values.reduce((sum, value, index) => sum + value * (1 + (index % 97)), 0);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
