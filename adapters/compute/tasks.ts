import { setMaxListeners } from 'node:events';
import type { DraftOutcome, ServiceJob } from '../../core/forecast/ensemble/draft.js';
import type { LstmModel } from '../../core/forecast/members/lstm/model.js';
import type { LstmTraining } from '../../core/forecast/members/lstm/training.js';
import type { ModelName } from '../../core/forecast/members/members.js';
import type { Result } from '../../core/spec/problem.js';
import { refused } from '../../core/spec/problem.js';
import { TaskLostError } from './errors.js';
import type { ForecastCompute } from './port.js';
import { tally } from './progress.js';

/** What one thread works on at a time. Plain data. */
export type Task =
  | { kind: 'draft'; job: ServiceJob; models?: readonly ModelName[]; lstm?: LstmModel }
  | { kind: 'train'; training: LstmTraining };

/** What comes of a task of that kind. Plain data. */
export interface Answers {
  draft: DraftOutcome;
  train: Result<LstmModel>;
}
export type TaskAnswer = Answers[Task['kind']];

export interface TaskRunner {
  /**
   * Rejects with the signal's reason once the task is not worked on any more, with `TaskLostError` where it cannot be
   * answered. `say` is told what is at work.
   */
  run(task: Task, say: (word: string) => void, signal: AbortSignal): Promise<TaskAnswer>;
  close(): Promise<void>;
}

/** What every implementation does alike: requests into tasks, answers into order, a lost task into a reason. */
export function computeBy(runner: TaskRunner): ForecastCompute {
  return {
    async draft({ jobs, ...rest }, { signal, progress } = {}): Promise<readonly DraftOutcome[]> {
      const count = tally(jobs.length, progress);
      return withSignal(signal, async (own) => {
        const all = jobs.map(async (job) => {
          const { service } = job;
          const say = (word: string): void => count.at(`${service}: ${word}`);
          const outcome = await answerOf<'draft'>(runner.run({ kind: 'draft', job, ...rest }, say, own), (reason) => {
            return { kind: 'none', service, reason, notes: [] };
          });
          count.done(service);
          return outcome;
        });
        // Not before all have ended: a caller may count on the threads being idle again.
        return (await Promise.allSettled(all)).map((end) => {
          if (end.status === 'rejected') throw end.reason;
          return end.value;
        });
      });
    },
    async train(training, { signal, progress } = {}): Promise<Result<LstmModel>> {
      const count = tally(1, progress);
      return withSignal(signal, async (own) => {
        const run = runner.run({ kind: 'train', training }, count.at, own);
        const result = await answerOf<'train'>(run, (message) => {
          return refused([{ code: 'training-lost', field: 'lstm', message }]);
        });
        count.done('trained');
        return result;
      });
    },
    close: async () => runner.close(),
  };
}

/** A signal of the request's own, since each of its tasks listens, and Node warns of many listeners on one signal. */
async function withSignal<T>(signal: AbortSignal | undefined, work: (own: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const pass = (): void => own.abort(signal?.reason);
  signal?.addEventListener('abort', pass, { once: true });
  try {
    return await work(own.signal);
  } finally {
    signal?.removeEventListener('abort', pass);
  }
}

async function answerOf<K extends Task['kind']>(
  answer: Promise<TaskAnswer>,
  whenLost: (reason: string) => Answers[K],
): Promise<Answers[K]> {
  try {
    // A runner answers a task of a kind with what the kind promises.
    return (await answer) as Answers[K];
  } catch (error) {
    if (error instanceof TaskLostError) return whenLost(error.message);
    throw error;
  }
}
