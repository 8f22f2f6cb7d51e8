/** To a thread. */
export interface Order {
  /** A `Task`, packed. */
  task: unknown;
  /** One number, not zero once the task is to stop: shared, since a thread at a fit reads no messages. */
  stop: SharedArrayBuffer;
}

/** From a thread: `ready` once, then for each order any `word` and one of the others. */
export type News =
  | { kind: 'ready' }
  | { kind: 'word'; word: string }
  /** `answer`: a `TaskAnswer`, packed. `isWorn`: an engine has trapped, so the thread must not work on. */
  | { kind: 'done'; answer: unknown; isWorn: boolean }
  | { kind: 'stopped' }
  /** The code threw. */
  | { kind: 'failed'; reason: string };
