import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startChain } from '../fixtures/chain.js';
import type { Chain } from '../fixtures/chain.js';
import { closeConnections } from '../fixtures/envoyProcess.js';

/** Real Envoys as sidecars, settings as planned: what a failing callee makes of the load on itself. */
describe('four idempotent services in a row', () => {
  let chain: Chain;

  beforeAll(async () => {
    chain = await startChain();
  }, 30_000);

  afterAll(async () => {
    closeConnections();
    await chain?.stop();
  });

  it('answer everything when it is well, and repeat nothing', async () => {
    expect(await chain.measure(0, 200, 200)).toMatchObject({ amplification: 1, answered: 1 });
  }, 60_000);

  it.each([50, 100])(
    'multiply no request by more than 1.5 when the deepest fails %d %% of its requests',
    async (percent) => {
      const { offered, reached, amplification, answered } = await chain.measure(percent, 600, 200);
      // Some were repeated, and every one got there.
      expect(reached).toBeGreaterThan(offered);
      expect(amplification).toBeLessThanOrEqual(1.5);
      expect(answered).toBeLessThanOrEqual(1 - percent / 100 + 0.2);
    },
    15_000,
  );
});
