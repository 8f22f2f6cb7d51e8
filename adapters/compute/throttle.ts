/** Hands on what it is called with, but drops what comes sooner than the interval after the last that it handed on. */
export function atMostEvery<A extends unknown[]>(intervalMs: number, call: (...args: A) => void): (...args: A) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (...args) => {
    const now = performance.now();
    if (now - last < intervalMs) return;
    last = now;
    call(...args);
  };
}
