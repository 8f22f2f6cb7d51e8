import type { MessagePort } from 'node:worker_threads';
import type { News, Order } from './messages.js';
import { pack, unpack } from './pack.js';
import { atMostEvery } from './throttle.js';
import type { Task, TaskAnswer } from './tasks.js';
import type { Work } from './work.js';

/** Words more often than this would only wake the thread that reads them. */
const WORD_INTERVAL_MS = 200;

/** Works on what comes by the port, one after the other, and says that it is ready to. */
export function serve(port: MessagePort, work: Work): void {
  const tell = (news: News, buffers: ArrayBuffer[] = []): void => port.postMessage(news, buffers);
  port.on('message', ({ task, stop }: Order) => {
    const sayWord = atMostEvery(WORD_INTERVAL_MS, (word: string) => tell({ kind: 'word', word }));
    try {
      const answer = toTheEnd(work.start(unpack(task) as Task), new Int32Array(stop), sayWord);
      if (answer === null) return tell({ kind: 'stopped' });
      const { data, buffers } = pack(answer);
      tell({ kind: 'done', answer: data, isWorn: work.hasTrapped() }, buffers);
    } catch (error) {
      tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  });
  tell({ kind: 'ready' });
}

/** `null`: told to stop. */
function toTheEnd(
  steps: Generator<string, TaskAnswer>,
  stop: Int32Array,
  sayWord: (word: string) => void,
): TaskAnswer | null {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (Atomics.load(stop, 0) !== 0) return null;
    sayWord(step.value);
  }
}
