import { Worker } from 'node:worker_threads';
import { ComputeClosedError, TaskLostError, ThreadStartError } from './errors.js';
import type { News, Order } from './messages.js';
import { pack, unpack } from './pack.js';
import type { Task, TaskAnswer, TaskRunner } from './tasks.js';

export interface PoolOptions {
  /** Threads at most; they are started when there is work. */
  threads: number;
  /** The file that a thread starts with; it must `serve`. */
  entry: URL;
  /** A thread that has not stopped so long after it was told to is ended. */
  stopGraceMs: number;
  /** A task that has not got to its next step after this time has hung: its thread is ended. */
  mostStepMs: number;
  /** A thread without work is ended after this time; its engines hold some hundred MiB. */
  idleMs: number;
  /** A thread whose JavaScript objects need more is ended, instead of the process. */
  mostHeapMiB: number;
}

/** A task that brings down its thread is tried once more in a fresh one: it may have been the thread's past. */
const MOST_ATTEMPTS = 2;

interface Assignment {
  task: Task;
  attempts: number;
  stop: SharedArrayBuffer;
  say(word: string): void;
  answer(answer: TaskAnswer): void;
  reject(error: unknown): void;
  /** Why it is to stop. */
  cancelled?: { reason: unknown };
}

interface Thread {
  worker: Worker;
  state: 'starting' | 'idle' | 'busy' | 'ended';
  assignment?: Assignment;
  timer?: NodeJS.Timeout;
}

/**
 * Threads that take tasks one at a time, each when it is done with the one before, so that a slow one holds nobody
 * else. Threads without work do not keep the process alive.
 */
export class ThreadPool implements TaskRunner {
  readonly #options: PoolOptions;
  readonly #queue: Assignment[] = [];
  readonly #threads = new Set<Thread>();
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  async run(task: Task, say: (word: string) => void, signal: AbortSignal): Promise<TaskAnswer> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new ComputeClosedError();
    let cancel = (): void => {};
    try {
      return await new Promise<TaskAnswer>((answer, reject) => {
        const assignment = { task, attempts: 0, stop: new SharedArrayBuffer(4), say, answer, reject };
        cancel = () => this.#cancel(assignment, signal.reason);
        signal.addEventListener('abort', cancel, { once: true });
        this.#queue.push(assignment);
        this.#feed();
      });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const error = new ComputeClosedError();
    for (const assignment of this.#queue.splice(0)) assignment.reject(error);
    await Promise.all(
      [...this.#threads].map(async (thread) => {
        thread.assignment?.reject(error);
        await this.#end(thread);
      }),
    );
  }

  #feed(): void {
    for (const thread of this.#threads) {
      if (thread.state !== 'idle') continue;
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#assign(thread, next);
    }
    const starting = [...this.#threads].filter(({ state }) => state === 'starting').length;
    const room = this.#options.threads - this.#threads.size;
    const missing = Math.min(this.#queue.length - starting, room);
    for (let started = 0; started < missing; started++) this.#start();
  }

  #start(): void {
    const worker = new Worker(this.#options.entry, {
      // Not the parent's flags: they may load what is for the parent alone.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#options.mostHeapMiB },
    });
    const thread: Thread = { worker, state: 'starting' };
    this.#threads.add(thread);
    worker.on('message', (news: News) => this.#hear(thread, news));
    worker.on('error', (error) => this.#lose(thread, error.message));
    worker.on('exit', (code) => this.#lose(thread, `it ended with code ${code}`));
  }

  #assign(thread: Thread, assignment: Assignment): void {
    thread.state = 'busy';
    thread.assignment = assignment;
    assignment.attempts++;
    thread.worker.ref();
    this.#expectStep(thread);
    const { data, buffers } = pack(assignment.task);
    const order: Order = { task: data, stop: assignment.stop };
    thread.worker.postMessage(order, buffers);
  }

  #hear(thread: Thread, news: News): void {
    if (thread.state === 'ended') return;
    const { assignment } = thread;
    if (news.kind === 'word') {
      assignment?.say(news.word);
      if (assignment?.cancelled === undefined) this.#expectStep(thread);
      return;
    }
    this.#rest(thread);
    switch (news.kind) {
      case 'ready':
        break;
      case 'done':
        assignment?.answer(unpack(news.answer) as TaskAnswer);
        if (news.isWorn) void this.#end(thread);
        break;
      case 'stopped':
        assignment?.reject(assignment.cancelled?.reason);
        break;
      case 'failed':
        // What threw once throws again; the thread is as it was.
        assignment?.reject(new TaskLostError(`the forecast failed: ${news.reason}`));
        break;
    }
    this.#feed();
  }

  #expectStep(thread: Thread): void {
    const { mostStepMs } = this.#options;
    this.#after(thread, mostStepMs, () => this.#lose(thread, `no step within ${mostStepMs / 1000} s`));
  }

  #rest(thread: Thread): void {
    thread.state = 'idle';
    delete thread.assignment;
    thread.worker.unref();
    this.#after(thread, this.#options.idleMs, () => void this.#end(thread));
  }

  /** The thread is gone or is to go, whatever it was at. */
  #lose(thread: Thread, reason: string): void {
    if (thread.state === 'ended') return;
    const { state, assignment } = thread;
    void this.#end(thread);
    if (state === 'starting') {
      // The next would fare no better.
      for (const waiting of this.#queue.splice(0)) waiting.reject(new ThreadStartError(reason));
    } else if (assignment?.cancelled !== undefined) {
      assignment.reject(assignment.cancelled.reason);
    } else if (assignment !== undefined && assignment.attempts < MOST_ATTEMPTS) {
      this.#queue.unshift(assignment);
    } else {
      assignment?.reject(new TaskLostError(`its thread ended ${MOST_ATTEMPTS} times: ${reason}`));
    }
    this.#feed();
  }

  #cancel(assignment: Assignment, reason: unknown): void {
    const place = this.#queue.indexOf(assignment);
    if (place >= 0) {
      this.#queue.splice(place, 1);
      assignment.reject(reason);
      return;
    }
    assignment.cancelled = { reason };
    Atomics.store(new Int32Array(assignment.stop), 0, 1);
    const thread = [...this.#threads].find((one) => one.assignment === assignment);
    if (thread === undefined) return;
    this.#after(thread, this.#options.stopGraceMs, () => this.#lose(thread, 'it did not stop'));
  }

  async #end(thread: Thread): Promise<void> {
    clearTimeout(thread.timer);
    thread.state = 'ended';
    this.#threads.delete(thread);
    await thread.worker.terminate();
  }

  /** One timer a thread: a new one replaces the last. It does not keep the process alive; a busy thread does. */
  #after(thread: Thread, ms: number, call: () => void): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(call, ms).unref();
  }
}
