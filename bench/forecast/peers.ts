import { appendFile } from 'node:fs/promises';
import path from 'node:path';

import { median } from '../../core/forecast/series.js';
import type { QuestionSet } from './data.js';
import type { RawForecast } from './peerCache.js';
import { cacheFile, parsed, readAnswers } from './peerCache.js';
import type { PeerJob, PeerQuestion } from './peerJobs.js';
import { byRound, jobsOf, peerQuestions, taskOf } from './peerJobs.js';
import { PEERS_FOLDER } from './peersVenv.js';
import type { PoolOptions, Task } from './pool.js';
import { runPool, slices } from './pool.js';

/** Each peer and the files that its forecasts depend on. */
export const PEERS = {
  'seasonal-naive-py': ['seasonal-naive', 'statsforecast_peer.py'],
  'mstl-ets-py': ['mstl-ets', 'statsforecast_peer.py'],
  'mstl-theta-py': ['mstl-theta', 'statsforecast_peer.py'],
  'prophet-py': ['prophet', 'prophet_peer.py'],
  'lightgbm-py': ['lightgbm', 'lightgbm_peer.py'],
  'autoarima-py': ['autoarima', 'statsforecast_peer.py'],
} as const;
export type PeerName = keyof typeof PEERS;

/** Medians of peers, step by step. */
export const PEER_ENSEMBLES: Readonly<Record<string, readonly PeerName[]>> = {
  'median-of-3-py': ['mstl-ets-py', 'prophet-py', 'lightgbm-py'],
  'median-of-4-py': ['mstl-ets-py', 'mstl-theta-py', 'prophet-py', 'lightgbm-py'],
};

export const LIGHTGBM: PeerName = 'lightgbm-py';

/** A seasonal ARIMA of more steps a season takes half a minute a fit. */
const ARIMA_MOST_SEASON = 24;

/** The peers that a set can afford. */
function peersOf({ seasons }: QuestionSet): PeerName[] {
  const isAffordable = (seasons[0] ?? 1) <= ARIMA_MOST_SEASON;
  return (Object.keys(PEERS) as PeerName[]).filter((name) => name !== 'autoarima-py' || isAffordable);
}

export type RawByPeer = ReadonlyMap<string, (question: PeerQuestion) => readonly RawForecast[]>;

export interface Workshop {
  python: string;
  /** Processes at one time. */
  jobs: number;
  /** Whether what the cached forecasts cost is measured again, so that it was measured beside what it is compared with. */
  isRetimed: boolean;
}

/** As many of a set's questions are asked again to see what they cost now. */
const RETIMED = 12;

/**
 * Forecasts of every peer from every back-test origin and for the question itself (last), in that order. They are dear:
 * each is kept in the cache, by all that it depends on, as soon as it is made.
 */
export async function askPeers(set: QuestionSet, workshop: Workshop): Promise<RawByPeer> {
  const questions = peerQuestions(set);
  const all = new Map<string, (question: PeerQuestion) => readonly RawForecast[]>();
  const alone = jobsOf(set, questions, false);
  for (const name of peersOf(set)) {
    const asked = isPooled(set, name) ? jobsOf(set, questions, true) : alone;
    const known = await answersOf(set, name, [...asked.byKey.values()], workshop);
    all.set(name, ({ question }) =>
      (asked.keys.get(question.id) ?? []).map((key) => known.get(key) ?? { mean: null, cpuSeconds: 0 }),
    );
  }
  for (const [name, parts] of Object.entries(PEER_ENSEMBLES)) {
    all.set(name, (question) => {
      const answers = parts.map((part) => all.get(part)?.(question) ?? []);
      return (answers[0] ?? []).map((_, index) => middle(answers.flatMap((own) => own[index] ?? [])));
    });
  }
  return all;
}

/** One model over all services of a region, as far as the peer can. */
function isPooled(set: QuestionSet, name: PeerName): boolean {
  return set.isRegion && name === LIGHTGBM;
}

function middle(forecasts: readonly RawForecast[]): RawForecast {
  const cpuSeconds = forecasts.reduce((sum, one) => sum + one.cpuSeconds, 0);
  const means = forecasts.flatMap(({ mean }) => (mean === null ? [] : [mean]));
  const [first] = means;
  if (first === undefined) return { mean: null, cpuSeconds, reason: 'no part of it could forecast' };
  return { mean: first.map((_, step) => median(means.map((mean) => mean[step] ?? 0))), cpuSeconds };
}

async function answersOf(
  set: QuestionSet,
  name: PeerName,
  asked: readonly PeerJob[],
  { python, jobs, isRetimed }: Workshop,
): Promise<ReadonlyMap<string, RawForecast>> {
  const [method, module] = PEERS[name];
  const file = await cacheFile(set.name, name, module);
  const known = await readAnswers(file);
  const pooled = isPooled(set, name);
  const groupOf = (job: PeerJob): string => (pooled ? String(job.round) : job.key);
  const incomplete = new Set(asked.filter((job) => !known.has(job.key)).map(groupOf));
  const missing = asked.filter((job) => incomplete.has(groupOf(job)));
  const taskFor = (part: readonly PeerJob[]): Task => ({
    command: python,
    // -B: no compiled files in the tree.
    args: ['-B', path.join(PEERS_FOLDER, 'forecast.py'), method],
    input: JSON.stringify(taskOf(set, part)),
  });
  const parts = pooled ? byRound(missing, jobs) : slices(missing, jobs);
  const title = `${set.title}: ${name}`;
  const fresh = await run(parts.map(taskFor), { title, jobs, lines: missing.length }, file);
  const all = new Map([...known, ...fresh]);
  if (!isRetimed || missing.length === asked.length) return all;
  const last = asked.filter((job) => job.round === 0);
  const again = pooled ? last : last.filter((_, index) => index % Math.ceil(last.length / RETIMED) === 0);
  return rescaled(all, await run([taskFor(again)], { title: `${title}, timed again`, jobs: 1, lines: again.length }));
}

/** Answers of all tasks; each is kept in the file, where there is one, as soon as it comes. */
async function run(
  tasks: readonly Task[],
  options: Omit<PoolOptions, 'onLine'>,
  file?: string,
): Promise<Map<string, RawForecast>> {
  const lines: string[] = [];
  let written = Promise.resolve();
  const onLine = (line: string): void => {
    lines.push(line);
    if (file !== undefined) written = written.then(() => appendFile(file, `${line}\n`));
  };
  if (tasks.length > 0) await runPool(tasks, { ...options, onLine });
  await written;
  return parsed(lines);
}

/** CPU seconds as they would be now, judged by forecasts that were made now and before. */
export function rescaled(
  known: ReadonlyMap<string, RawForecast>,
  again: ReadonlyMap<string, RawForecast>,
): Map<string, RawForecast> {
  let before = 0;
  let now = 0;
  for (const [key, { cpuSeconds }] of again) {
    before += known.get(key)?.cpuSeconds ?? 0;
    now += cpuSeconds;
  }
  const factor = before > 0 ? now / before : 1;
  return new Map([...known].map(([key, one]) => [key, { ...one, cpuSeconds: one.cpuSeconds * factor }]));
}
