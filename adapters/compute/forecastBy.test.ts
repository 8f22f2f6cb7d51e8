import { afterAll, describe, expect, it } from '@jest/globals';
import { forecastDemand } from '../../core/forecast/forecast.js';
import type { ForecastInput, PreparedRegion } from '../../core/forecast/prepareRegion.js';
import { prepareRegion } from '../../core/forecast/prepareRegion.js';
import { loadForecastEngines } from '../wasm/augurs.js';
import { job } from './contract.js';
import { forecastBy } from './forecastBy.js';
import { createInProcessCompute } from './inProcess.js';

const compute = createInProcessCompute(loadForecastEngines);
afterAll(async () => compute.close());

const INPUT: ForecastInput = {
  rows: ['shop', 'pay'].flatMap((service) => {
    const { startMs, stepMs, values } = job(service, 300).history;
    return values.map((rps, step) => ({ service, rps, at: startMs + step * stepMs }));
  }),
  stepSeconds: 3600,
  horizonSteps: 24,
  seasons: [24],
  events: [],
  regionName: 'eu',
  models: ['seasonal-naive', 'lag-regression'],
};

const MODELS = INPUT.models ?? [];

function prepared(): PreparedRegion {
  const result = prepareRegion(INPUT);
  if (!result.ok) throw new Error('refused');
  return result.value;
}

describe('a region forecast by a compute', () => {
  it('is the one that core alone makes', async () => {
    const result = await forecastBy(compute, prepared(), { models: MODELS });
    const expected = forecastDemand(INPUT, await loadForecastEngines());
    if (!expected.ok) throw new Error('refused');
    expect(result.forecast).toEqual(expected.value);
    expect(result.choices.map(({ service, asked }) => [service, asked])).toEqual([
      ['shop', INPUT.models],
      ['pay', INPUT.models],
    ]);
  });

  it('is refused with every problem before any compute is asked', () => {
    const result = prepareRegion({ ...INPUT, horizonSteps: 0, seasons: [] });
    expect(result).toMatchObject({ ok: false, problems: [{ field: 'horizonSteps' }, { field: 'seasons' }] });
  });

  it('stops with the reason of the signal', async () => {
    const stopped = forecastBy(compute, prepared(), { models: MODELS }, { signal: AbortSignal.abort('over') });
    await expect(stopped).rejects.toBe('over');
  });
});
