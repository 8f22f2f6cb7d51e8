import type { ComputeRun } from './port.js';
import { atMostEvery } from './throttle.js';

const INTERVAL_MS = 250;

/** Counts what is done of `total` and tells it as `ComputeRun.progress` promises. */
export interface Tally {
  at(word: string): void;
  /** One more is done; the last is always told. */
  done(word: string): void;
}

export function tally(total: number, progress: ComputeRun['progress']): Tally {
  let done = 0;
  const tell = atMostEvery(INTERVAL_MS, (word: string) => progress?.(done, total, word));
  return {
    at: tell,
    done(word): void {
      done++;
      if (done === total) progress?.(done, total, word);
      else tell(word);
    },
  };
}
