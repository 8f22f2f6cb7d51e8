import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import type { DemandForecast } from '../spec/forecast.js';
import type { PlanningSpec } from '../spec/region.js';
import { planHash } from '../spec/hash.js';
import { busiestWindow, windowAt } from './windowAt.js';
import { cutWindows, steadyCounts } from './windows.js';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');

const planning = (change: Partial<PlanningSpec> = {}): PlanningSpec => ({
  windowSeconds: 7200,
  leadSeconds: 0,
  hysteresis: 0,
  survive: 'none',
  maxUtilisation: 0.8,
  arrivalCv2: 1,
  ...change,
});

/** One entry whose every quantile is `rps`, an hour a step. */
function hours(rps: readonly number[]): DemandForecast {
  const timestamps = rps.map((_, i) => new Date(START + i * HOUR_MS).toISOString());
  const quantiles = { p50: rps, p80: rps, p90: rps, p95: rps, p99: rps };
  const [series] = forecastOf({ front: 1 }).series;
  if (series === undefined) throw new Error('no series');
  return { series: [{ ...series, timestamps, quantiles }], notes: [] };
}

/** Instances of `front` hour by hour. */
function instances(rps: readonly number[], change: Partial<PlanningSpec>): number[] {
  const plan = planOf(shopRegion({ planning: planning(change) }), hours(rps));
  return rps.map((_, i) => {
    const window = windowAt(plan, new Date(START + i * HOUR_MS).toISOString());
    return window.services.find((one) => one.service === 'front')?.instances.value ?? 0;
  });
}

describe('cutWindows', () => {
  it('is one window over the horizon where no planning is stated', () => {
    const spans = cutWindows(shopRegion(), hours([1, 2, 3]));
    expect(spans).toEqual([{ fromMs: START, toMs: START + 3 * HOUR_MS, firstStep: 0, steps: 3, ownSteps: 3 }]);
  });

  it('cuts at multiples of the length, and covers every step once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 600, max: 90_000 }), (steps, windowSeconds) => {
        const region = shopRegion({ planning: planning({ windowSeconds }) });
        const spans = cutWindows(region, hours(Array.from({ length: steps }, () => 1)));
        expect(spans[0]?.fromMs).toBe(START);
        expect(spans.at(-1)?.toMs).toBe(START + steps * HOUR_MS);
        spans.slice(1).forEach((span, i) => expect(span.fromMs).toBe(spans[i]?.toMs));
        for (const span of spans) {
          expect(span.steps).toBeGreaterThanOrEqual((span.toMs - span.fromMs) / HOUR_MS);
          expect(span.firstStep + span.steps).toBeLessThanOrEqual(steps);
        }
      }),
    );
  });

  it('reckons with the demand of the lead and of the slowest start-up behind a window', () => {
    const [first] = cutWindows(shopRegion({ planning: planning({ leadSeconds: 3600 }) }), hours([1, 2, 3, 4, 5, 6]));
    // Two hours, one of lead, and the second that instances take to start.
    expect(first).toMatchObject({ firstStep: 0, steps: 4 });
  });

  it('leads by the clock on the wall where demand is replayed faster', () => {
    const clock = { demandFrom: new Date(START).toISOString(), wallFrom: '2026-05-01T00:00:00Z', speed: 60 };
    const region = shopRegion({ planning: planning({ leadSeconds: 119 }), demandClock: clock });
    // Two minutes on the wall, start-up included, are two hours of demand.
    expect(cutWindows(region, hours([1, 2, 3, 4, 5, 6]))[0]).toMatchObject({ firstStep: 0, steps: 4 });
  });
});

describe('a plan of several windows', () => {
  it('has a rise in force before it comes and a fall only once it has come', () => {
    // Over 160 rps an instance is busier than 80 %.
    expect(instances([100, 100, 100, 400, 100, 100], { windowSeconds: 3600, leadSeconds: 1800 })).toEqual([
      1, 1, 3, 3, 1, 1,
    ]);
  });

  it('holds in later windows only the services that differ, and joins windows that do not', () => {
    const steady = planOf(shopRegion({ planning: planning(), neighbours: [] }), hours([100, 100, 100, 100, 100, 100]));
    expect(steady.windows).toHaveLength(1);
    expect(steady.windows[0]?.to).toBe('2026-01-01T06:00:00.000Z');
    const rising = planOf(shopRegion({ planning: planning(), neighbours: [] }), hours([100, 100, 100, 100, 400, 400]));
    expect(rising.windows.map((window) => window.services.length)).toEqual([3, 3]);
    expect(planHash(rising)).not.toBe(planHash(steady));
  });

  it('is whole at any time', () => {
    const plan = planOf(shopRegion({ planning: planning() }), hours([100, 100, 400, 400, 100, 100]));
    for (const at of [undefined, '2020-01-01T00:00:00Z', '2026-01-01T03:00:00Z', '2030-01-01T00:00:00Z']) {
      expect(windowAt(plan, at).services.map((one) => one.service)).toEqual(['front', 'cart', 'stock']);
    }
    expect(windowAt(plan, '2026-01-01T03:00:00Z').services[0]?.demand.rps).toBe(400);
    expect(windowAt(plan, '2030-01-01T00:00:00Z').services[0]?.demand.rps).toBe(100);
  });
});

describe('busiestWindow', () => {
  it('has the most instances in all, with all its services', () => {
    const plan = planOf(shopRegion({ planning: planning(), neighbours: [] }), hours([100, 100, 400, 400, 100, 100]));
    const busy = busiestWindow(plan);
    expect(busy.services.map((one) => [one.service, one.instances.value])).toEqual([
      ['front', 3],
      ['cart', 3],
      ['stock', 8],
    ]);
  });
});

describe('steadyCounts', () => {
  it('takes a rise at once, and a fall only when it is more than the hysteresis and the next window has it too', () => {
    expect(steadyCounts([10, 9.5, 10, 12, 5, 12, 5, 5], 0.1)).toEqual([10, 10, 10, 12, 12, 12, 5, 5]);
  });

  it('never plans less than is needed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 })),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (needed, h) => {
          steadyCounts(needed, h).forEach((count, i) => expect(count).toBeGreaterThanOrEqual(needed[i] ?? 0));
        },
      ),
    );
  });
});
