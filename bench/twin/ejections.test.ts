import { afterAll, describe, expect, it } from '@jest/globals';

import { closeConnections } from '../../test/fixtures/envoyProcess.js';
import { CONSECUTIVE, ejectionsLast, failuresAfterReturn, mostEjected } from './ejections.js';

/** What the twin takes for granted of Envoy (`core/simulate/engine/health.ts`). */
describe('outlier detection of a real Envoy', () => {
  afterAll(closeConnections);

  it.each([
    [24, 0],
    [25, 1],
    [49, 1],
    [50, 2],
  ])('of four failing instances under %i %% has %i out: one more must be within the percent', async (percent, most) => {
    expect(await mostEjected(4, percent)).toBe(most);
  });

  it('is ended by the next health check that passes, long before its base time is over', async () => {
    const [lasted = Infinity] = await ejectionsLast({ healthMs: 300, baseMs: 600_000 }, 1);
    expect(lasted).toBeLessThan(600_000);
  });

  it('forgets what failed while an instance was out', async () => {
    expect(await failuresAfterReturn(CONSECUTIVE - 1)).toBe(CONSECUTIVE);
  });
});
