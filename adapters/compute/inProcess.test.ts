import { describe, expect, it } from '@jest/globals';
import type { ForecastEngines } from '../../core/forecast/members/createMembers.js';
import { loadForecastEngines } from '../wasm/augurs.js';
import { forecastComputeContract, job } from './contract.js';
import { createInProcessCompute } from './inProcess.js';

forecastComputeContract('The calling thread', () => createInProcessCompute(loadForecastEngines), loadForecastEngines);

describe('the calling thread', () => {
  it('gives others a turn between two fits', async () => {
    const compute = createInProcessCompute(loadForecastEngines);
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await compute.draft({ jobs: [job('shop', 400)], models: ['seasonal-naive', 'arima'] });
    isOver = true;
    // Two members at five origins each, and each once more.
    expect(turns).toBeGreaterThanOrEqual(10);
    await compute.close();
  });

  it('loses no more than the service whose fit throws', async () => {
    const broken = async (): Promise<ForecastEngines> => ({
      ...(await loadForecastEngines()),
      mstl: {
        fitPredict: (values) => {
          if (values.length > 300) throw new Error('a bug');
          return { ok: false, reason: 'too short' };
        },
      },
    });
    const compute = createInProcessCompute(broken);
    const jobs = [job('long', 500), job('short', 200)];
    const outcomes = await compute.draft({ jobs, models: ['mstl', 'seasonal-naive'] });
    expect(outcomes[0]).toEqual({ kind: 'none', service: 'long', reason: 'the forecast failed: a bug', notes: [] });
    expect(outcomes[1]).toMatchObject({ kind: 'draft', draft: { service: 'short' } });
    await compute.close();
  });
});
