/** Runs `work` on every item, at most `limit` at once, and tells how each ended; in the order of the items. */
export async function limited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [place, item] of waiting) {
      [results[place]] = (await Promise.allSettled([work(item)])) as [PromiseSettledResult<R>];
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** The outcome of `work`, or a rejection after `timeoutMs` even where `work` does not heed its signal. */
export async function within<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    const end = (reason: unknown): void => {
      const error = reason instanceof Error ? reason : new Error(String(reason));
      ended.abort(error);
      reject(error);
    };
    timer = setTimeout(() => end(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    abort = (): void => end(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work(ended.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** What went wrong, in words, or nothing: for work that the caller can go on without. */
export async function attempt(otherwise: string, work: () => Promise<unknown>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [`${otherwise}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
