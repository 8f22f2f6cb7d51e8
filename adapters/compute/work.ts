import type { ForecastEngines } from '../../core/forecast/members/createMembers.js';
import { draftService } from '../../core/forecast/ensemble/draft.js';
import { membersFor } from '../../core/forecast/forecast.js';
import type { LstmProgress } from '../../core/forecast/members/lstm/fit.js';
import { trainLstm } from '../../core/forecast/members/lstm/train.js';
import type { Task, TaskAnswer } from './tasks.js';

/** How tasks are worked on: steps that yield before each fit. */
export interface Work {
  start(task: Task): Generator<string, TaskAnswer>;
  /** Whether an engine has trapped: its memory is then not to be trusted. */
  hasTrapped(): boolean;
}

/** The work of a thread on engines of its own. */
export function workOf(engines: ForecastEngines): Work {
  const watched = watch(engines);
  return {
    *start(task): Generator<string, TaskAnswer> {
      switch (task.kind) {
        case 'draft': {
          const { job, models, lstm } = task;
          const all = { ...watched.engines, ...(lstm === undefined ? {} : { lstm }) };
          return yield* draftService(job, membersFor(job, all, models));
        }
        case 'train':
          return yield* inWords(trainLstm(task.training));
      }
    },
    hasTrapped: watched.hasTrapped,
  };
}

function wordOf({ stage, epoch, loss, validationLoss }: LstmProgress): string {
  if (epoch === 0) return `lstm, ${stage}`;
  const held = validationLoss === null ? '' : `, ${validationLoss.toFixed(3)} on what is held back`;
  return `lstm, ${stage} weights, epoch ${epoch}: loss ${loss.toFixed(3)}${held}`;
}

function* inWords<T>(steps: Generator<LstmProgress, T>): Generator<string, T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield wordOf(step.value);
  }
}

/** A fit that ends in a trap says so in its reason alone; the member is left out, and the service goes on. */
const TRAP = /RuntimeError|out of use until/;

function watch(engines: ForecastEngines): { engines: ForecastEngines; hasTrapped(): boolean } {
  let trapped = false;
  const seen = <T extends { ok: true } | { ok: false; reason: string }>(result: T): T => {
    if (!result.ok && TRAP.test(result.reason)) trapped = true;
    return result;
  };
  return {
    engines: {
      ...engines,
      mstl: { fitPredict: (values, seasons, steps) => seen(engines.mstl.fitPredict(values, seasons, steps)) },
      prophet: { fitPredict: (request) => seen(engines.prophet.fitPredict(request)) },
    },
    hasTrapped: () => trapped,
  };
}
