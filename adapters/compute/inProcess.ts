import { setImmediate as turn } from 'node:timers/promises';
import type { ForecastEngines } from '../../core/forecast/members/createMembers.js';
import { ComputeClosedError, TaskLostError } from './errors.js';
import type { ForecastCompute } from './port.js';
import type { Task, TaskAnswer } from './tasks.js';
import { computeBy } from './tasks.js';
import { workOf } from './work.js';

/**
 * Computes in the calling thread, which each fit blocks; between two fits its event loop gets a turn. `engines` is
 * asked before each job, so that a trap in one is no other's loss.
 */
export function createInProcessCompute(engines: () => Promise<ForecastEngines>): ForecastCompute {
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();
  const check = (signal: AbortSignal): void => {
    signal.throwIfAborted();
    if (isClosed) throw new ComputeClosedError();
  };

  async function answerTo(task: Task, say: (word: string) => void, signal: AbortSignal): Promise<TaskAnswer> {
    check(signal);
    const steps = workOf(await engines()).start(task);
    for (;;) {
      check(signal);
      const step = nextOf(steps);
      if (step.done === true) return step.value;
      say(step.value);
      await turn();
    }
  }

  return computeBy({
    async run(task, say, signal): Promise<TaskAnswer> {
      const answer = last.then(async () => answerTo(task, say, signal));
      last = answer.catch(() => null);
      return answer;
    },
    close: async () => {
      isClosed = true;
      await last;
    },
  });
}

function nextOf(steps: Generator<string, TaskAnswer>): IteratorResult<string, TaskAnswer> {
  try {
    return steps.next();
  } catch (error) {
    throw new TaskLostError(`the forecast failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
