import { describe, expect, it } from '@jest/globals';

import { predictFrom } from '../../core/forecast/ensemble/backTest.js';
import { draftService } from '../../core/forecast/ensemble/draft.js';
import { finishRegion } from '../../core/forecast/finish.js';
import { createRandom } from '../../core/forecast/random.js';
import { seasonalNaive } from '../../core/forecast/members/seasonalNaive.js';
import type { Question, QuestionSet } from './data.js';
import { jobOf } from './methods.js';
import { parsed } from './peerCache.js';
import { peerAnswer } from './peerDraft.js';
import { jobsOf, peerQuestions } from './peerJobs.js';
import { rescaled } from './peers.js';
import { lastWindows } from './sets/windows.js';

const SEASONS = [6, 12];

function setOf(values: readonly number[]): QuestionSet {
  const series = { startMs: 0, stepMs: 3_600_000, values };
  const known = [{ name: 'warm', values: values.map((value) => value / 2) }];
  const questions = lastWindows({ id: 'a', series, known }, { windows: 3, horizon: 6, least: 60 });
  return { name: 'web', title: '', facts: '', seasons: SEASONS, maseSeason: 6, isRegion: false, questions };
}

function demand(count: number): number[] {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, step) => 50 + 20 * Math.sin(step) + 10 * random());
}

function first(set: QuestionSet): Question {
  const [question] = set.questions;
  if (question === undefined) throw new Error('no question');
  return question;
}

describe('jobsOf', () => {
  it('asks once what windows of one series share', () => {
    const set = setOf(demand(100));
    const { byKey, keys } = jobsOf(set, peerQuestions(set), false);
    expect([...keys.values()].map((own) => own.length)).toEqual([6, 6, 6]);
    expect(byKey.size).toBeLessThan(18);
    expect([...byKey.values()].filter(({ round }) => round === 0)).toHaveLength(3);
  });

  it('names a job by what it may see, and by nothing later', () => {
    const values = demand(100);
    const keysOf = (given: readonly number[]): string[] => {
      const set = setOf(given);
      return jobsOf(set, peerQuestions(set), false).keys.get(first(set).id) ?? [];
    };
    // The first window ends 12 steps before the end; its back-test sees nothing of the last 18.
    const withFuture = values.map((value, step) => (step >= 88 ? value + 1 : value));
    expect(keysOf(withFuture)).toEqual(keysOf(values));
    const withPast = values.map((value, step) => (step === 0 ? value + 1 : value));
    expect(keysOf(withPast).filter((key) => keysOf(values).includes(key))).toEqual([]);
  });
});

describe('peerAnswer', () => {
  const set = setOf(demand(100));
  const [asked] = peerQuestions(set);
  if (asked === undefined) throw new Error('no question');
  const job = jobOf(asked.question, SEASONS);
  const member = seasonalNaive(SEASONS);
  const raw = [...asked.origins, job.history.values.length].map((origin) => {
    const predicted = predictFrom(member, job.history, origin, 6, job);
    if (!predicted.ok) throw new Error(predicted.reason);
    return { mean: predicted.mean, cpuSeconds: 0.5 };
  });

  it('gets the very quantiles that a member with the same forecasts gets', () => {
    const steps = draftService(job, [member]);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    const own = finishRegion([{ job, outcome: step.value }]).forecast.series[0];
    const answer = peerAnswer('naive-py', asked, raw, SEASONS);
    const theirs = finishRegion([{ job, outcome: answer.outcome }]).forecast.series[0];
    expect(own?.quantiles.p99.length).toBe(6);
    expect(theirs?.quantiles).toEqual(own?.quantiles);
    expect(theirs?.models[0]?.mase).toBe(own?.models[0]?.mase);
    expect(answer).toMatchObject({ firstSeconds: 3, againSeconds: 0.5 });
  });

  it('takes a forecast as it came where events lie ahead, their effect is in it', () => {
    const day = (step: number): { id: string; kind: string; startMs: number; endMs: number; uplift: undefined } => {
      const startMs = job.history.startMs + step * job.history.stepMs;
      return { id: String(step), kind: 'sale', startMs, endMs: startMs + 3 * job.history.stepMs, uplift: undefined };
    };
    const events = [...[20, 40, 60].map(day), day(job.history.values.length)];
    const lifted = job.history.values.map((value, step) =>
      [20, 40, 60].some((at) => step >= at && step < at + 3) ? 3 * value : value,
    );
    const question = { ...asked.question, history: { ...job.history, values: lifted }, events };
    const { outcome } = peerAnswer('naive-py', { ...asked, question }, raw, SEASONS);
    if (outcome.kind !== 'draft') throw new Error(outcome.reason);
    expect(outcome.draft.mean).toEqual(raw.at(-1)?.mean);
  });

  it('has no forecast where one origin failed, and says why', () => {
    const failed = raw.map((one, index) => (index === 1 ? { mean: null, cpuSeconds: 0, reason: 'diverged' } : one));
    const { outcome } = peerAnswer('naive-py', asked, failed, SEASONS);
    expect(outcome).toMatchObject({ kind: 'none', reason: expect.stringContaining('diverged') as unknown });
  });
});

describe('what is kept of peers', () => {
  it('is read line by line, a last one that was cut off left out', () => {
    const whole = '{"key": "a", "mean": [1, 2], "cpuSeconds": 0.5}';
    expect([...parsed([whole, '{"key": "b", "mean": [3', ''])]).toEqual([['a', { mean: [1, 2], cpuSeconds: 0.5 }]]);
  });

  it('costs what it would cost now', () => {
    const known = parsed(['{"key": "a", "mean": [1], "cpuSeconds": 2}', '{"key": "b", "mean": [1], "cpuSeconds": 6}']);
    const again = parsed(['{"key": "a", "mean": [1], "cpuSeconds": 1}']);
    expect([...rescaled(known, again).values()].map(({ cpuSeconds }) => cpuSeconds)).toEqual([1, 3]);
  });
});
