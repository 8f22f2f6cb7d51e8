import { createHash } from 'node:crypto';

import { planEvents } from '../../core/forecast/events/events.js';
import { planOrigins } from '../../core/forecast/ensemble/origins.js';
import type { Question, QuestionSet } from './data.js';
import { slices } from './pool.js';

/** One thing to ask: from `end` on, `horizon` steps. `round`: 0 is the question itself, 1 its last back-test origin. */
export interface PeerJob {
  key: string;
  series: string;
  end: number;
  horizon: number;
  round: number;
}

export interface PeerQuestion {
  question: Question;
  /** Back-test origins, oldest first, and the steps asked from each. */
  origins: readonly number[];
  horizonSteps: number;
}

/** Questions with the back-test origins that the program under test uses too. */
export function peerQuestions(set: QuestionSet): PeerQuestion[] {
  return set.questions.map((question) => {
    const plan = planOrigins(question.history.values.length, question.actual.length, set.seasons);
    if (plan === null) throw new Error(`${question.id}: too little history for a back-test`);
    return { question, ...plan };
  });
}

export interface Asked {
  byKey: Map<string, PeerJob>;
  /** By question, in the order of its back-test origins; the question itself last. */
  keys: Map<string, string[]>;
}

/** Windows of one series share most of what is asked: the same end and horizon is the same job. */
export function jobsOf(set: QuestionSet, questions: readonly PeerQuestion[], isPooled: boolean): Asked {
  const byKey = new Map<string, PeerJob>();
  const keys = new Map<string, string[]>();
  const wholeSet = isPooled
    ? hashOf(questions.map(({ question }) => inputOf(question, 0, question.actual.length)))
    : '';
  for (const { question, origins, horizonSteps } of questions) {
    const length = question.history.values.length;
    const ends = [...origins.map((end) => [end, horizonSteps] as const), [length, question.actual.length] as const];
    const own = ends.map(([end, horizon], index) => {
      const round = ends.length - 1 - index;
      const key = hashOf([set.seasons, wholeSet, inputOf(question, length - end, horizon), horizon]);
      if (!byKey.has(key)) byKey.set(key, { key, series: question.seriesId, end, horizon, round });
      return key;
    });
    keys.set(question.id, own);
  }
  return { byKey, keys };
}

/** All that a forecast depends on that starts `back` steps before the end of the question's history. */
function inputOf({ seriesId, history, events, known }: Question, back: number, horizon: number): unknown[] {
  const end = history.values.length - back;
  const regressors = known.map(({ name, values }) => [name, values.slice(0, end + horizon)]);
  return [seriesId, history.startMs, history.stepMs, history.values.slice(0, end), regressors, events];
}

/** Jobs of one round are forecast together, by one model: never a part of them. */
export function byRound(asked: readonly PeerJob[], parts: number): PeerJob[][] {
  const rounds = [...new Set(asked.map(({ round }) => round))].sort((a, b) => a - b);
  return slices(rounds, parts).map((own) => asked.filter(({ round }) => own.includes(round)));
}

export function taskOf(set: QuestionSet, asked: readonly PeerJob[]): unknown {
  const ids = new Set(asked.map((job) => job.series));
  const series = Object.fromEntries([...ids].map((id) => [id, wholeSeries(set, id)]));
  const [first] = set.questions;
  return {
    seasons: set.seasons,
    stepSeconds: (first?.history.stepMs ?? 0) / 1000,
    pooled: set.isRegion,
    series,
    jobs: asked,
  };
}

/** A series as far as any question goes; each job is cut from it. Events become shares of steps, as for our members. */
function wholeSeries(set: QuestionSet, id: string): unknown {
  const last = set.questions.findLast((question) => question.seriesId === id);
  if (last === undefined) throw new Error(`no series ${id}`);
  const values = [...last.history.values, ...last.actual];
  const { startMs, stepMs } = last.history;
  const { regressors } = planEvents(last.events, { startMs, stepMs, trainSteps: values.length, futureSteps: 0 });
  const named = [
    ...regressors.map(({ name, train }) => [name, train] as const),
    ...last.known.map((one) => [one.name, one.values] as const),
  ];
  return { startMs, values, regressors: Object.fromEntries(named) };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 24);
}
