import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deliver } from './deliver.js';
import type { SendOutcome } from './outcome.js';

/** A server that takes all lines but those with "bad" in them, as InfluxDB does, and may fail at the nth request. */
function serverOf(
  failAt = -1,
  counts = true,
): { stored: string[]; requests: number; send(text: string): Promise<SendOutcome> } {
  const server = {
    stored: [] as string[],
    requests: 0,
    async send(text: string): Promise<SendOutcome> {
      server.requests += 1;
      if (server.requests === failAt) {
        return Promise.resolve({ kind: 'failed', state: 'unreachable', words: 'gone', retryAfterMs: 0 });
      }
      const lines = text.split('\n').filter(Boolean);
      const bad = lines.filter((line) => line.startsWith('bad'));
      server.stored.push(...lines.filter((line) => !line.startsWith('bad')));
      const dropped = counts ? bad.length : null;
      return Promise.resolve(bad.length > 0 ? { kind: 'refused', words: 'no', dropped } : { kind: 'stored' });
    },
  };
  return server;
}

const batches = fc
  .array(fc.boolean(), { minLength: 1, maxLength: 60 })
  .map((goods) => goods.map((good, i) => `${good ? 'good' : 'bad'}${i}`));

describe('delivery', () => {
  it.each([true, false])(
    'finds every line that is refused, and stores all others (the server counts: %s)',
    async (counts) => {
      await fc.assert(
        fc.asyncProperty(batches, async (lines) => {
          const server = serverOf(-1, counts);
          const { refused, failure } = await deliver(`${lines.join('\n')}\n`, server.send);
          expect(failure).toBeNull();
          expect(refused.map(({ line }) => line)).toEqual(lines.filter((line) => line.startsWith('bad')));
          expect(new Set(server.stored)).toEqual(new Set(lines.filter((line) => line.startsWith('good'))));
        }),
      );
    },
  );

  it('asks few questions when the server says that all are refused', async () => {
    const server = serverOf();
    const lines = Array.from({ length: 1000 }, (_, i) => `bad${i}`);
    expect((await deliver(lines.join('\n'), server.send)).refused).toHaveLength(1000);
    expect(server.requests).toBeLessThan(4);
  });

  it('gives up as a whole, with nothing refused, when the server fails half-way', async () => {
    for (let failAt = 1; failAt < 8; failAt += 1) {
      const delivery = await deliver('good1\nbad2\ngood3\nbad4\ngood5', serverOf(failAt).send);
      expect(delivery.refused).toEqual([]);
      expect(delivery.failure).toMatchObject({ state: 'unreachable' });
    }
  });

  it('gives no line up to who refuses everything', async () => {
    const send = async (): Promise<SendOutcome> =>
      Promise.resolve({ kind: 'refused', words: 'who are you', dropped: null });
    expect(await deliver('good1\ngood2', send)).toMatchObject({ refused: [], failure: { state: 'overloaded' } });
  });
});
