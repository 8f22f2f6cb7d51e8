import type { ForecastMember } from '../../core/forecast/members/members.js';
import { endMs } from '../../core/forecast/series.js';
import type { Answer } from './methods.js';
import { answer, jobOf } from './methods.js';
import type { RawForecast } from './peerCache.js';
import type { PeerQuestion } from './peerJobs.js';

/**
 * A peer's answer to one question: its forecasts take the place of a member's, so that the program back-tests, guards
 * and calibrates them exactly as its own. `raw`: by origin, oldest first, then for the question.
 */
export function peerAnswer(
  method: string,
  asked: PeerQuestion,
  raw: readonly RawForecast[],
  seasons: readonly number[],
): Answer {
  const { question } = asked;
  const againSeconds = raw.at(-1)?.cpuSeconds ?? 0;
  const firstSeconds = raw.reduce((sum, one) => sum + one.cpuSeconds, 0);
  // Peers were given the events themselves: what they say is with their effect already.
  const outcome = answer({ ...jobOf(question, seasons), events: [] }, [replaying(method, asked, raw)]);
  return { method, questionId: question.id, outcome, firstSeconds, againSeconds };
}

/** A member that says what was said before from the same origin. */
function replaying(name: string, { question, origins }: PeerQuestion, raw: readonly RawForecast[]): ForecastMember {
  const { startMs, stepMs, values } = question.history;
  const said = new Map([...origins, values.length].map((end, index) => [startMs + end * stepMs, raw[index]]));
  return {
    name,
    historySteps: values.length,
    forecast(train) {
      const known = said.get(endMs(train));
      if (known === undefined || known.mean === null) {
        return { ok: false, reason: known?.reason ?? 'it was not asked' };
      }
      return { ok: true, mean: known.mean };
    },
  };
}
