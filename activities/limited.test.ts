import { describe, expect, it } from '@jest/globals';
import { limited, within } from './limited.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

describe('limited', () => {
  it('runs all, so many at once, and keeps their order and their failures', async () => {
    let running = 0;
    let most = 0;
    const results = await limited([5, 1, 4, 1, 3, 2], 2, async (ms) => {
      running += 1;
      most = Math.max(most, running);
      await pause(ms);
      running -= 1;
      if (ms === 4) throw new Error('four');
      return ms;
    });
    expect(most).toBe(2);
    expect(results.map((r) => (r.status === 'fulfilled' ? r.value : 'failed'))).toEqual([5, 1, 'failed', 1, 3, 2]);
  });

  it('lets one that hangs hold up its own place only', async () => {
    const signal = new AbortController().signal;
    const results = await limited([1, 2, 3, 4], 2, (n) =>
      within(50, signal, () => (n === 1 ? new Promise<number>(() => undefined) : Promise.resolve(n))),
    );
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});

describe('within', () => {
  it('ends when it is told to, with the reason', async () => {
    const controller = new AbortController();
    const waiting = within(60_000, controller.signal, () => new Promise(() => undefined));
    controller.abort(new Error('shutdown'));
    await expect(waiting).rejects.toThrow('shutdown');
    await expect(within(1, controller.signal, () => Promise.resolve(1))).rejects.toThrow('shutdown');
  });

  it('tells the work to stop when its time is over', async () => {
    let told = '';
    const waiting = within(5, new AbortController().signal, (signal) => {
      signal.addEventListener('abort', () => (told = String(signal.reason)));
      return new Promise(() => undefined);
    });
    await expect(waiting).rejects.toThrow('no answer in 5 ms');
    expect(told).toContain('no answer in 5 ms');
  });
});
