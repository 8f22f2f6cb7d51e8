import { describe, expect, it } from '@jest/globals';

import type { PlanningSpec } from '../core/spec/region.js';
import { planOf } from '../test/fixtures/planned.js';
import { forecastOf, shopRegion } from '../test/fixtures/regionSpec.js';
import { radiusOf, timedWindows } from './planRegion.js';

const PLANNING: PlanningSpec = {
  ...{ windowSeconds: 3600, leadSeconds: 0, hysteresis: 0, survive: 'none', maxUtilisation: 0.8, arrivalCv2: 1 },
};

describe('timedWindows', () => {
  const plan = planOf(shopRegion({ planning: PLANNING, neighbours: [] }), forecastOf({ front: 400 }));
  const starts = plan.windows.map((window) => window.from);

  it('begins each window when its demand does, and after the last puts the busiest in force', () => {
    expect(starts.length).toBeGreaterThan(1);
    const timed = timedWindows({}, plan);
    expect(timed.slice(0, -1)).toEqual(starts.map((from) => ({ from, wallFromMs: Date.parse(from) })));
    const busiest = plan.windows.find((window) => window.services[0]?.demand.rps === 400)?.from;
    expect(timed.at(-1)).toEqual({ from: busiest, wallFromMs: Date.parse('2026-01-01T03:00:00Z') });
  });

  it('follows the clock of demand that is replayed faster', () => {
    const demandClock = { demandFrom: '2026-01-01T00:00:00Z', wallFrom: '2026-06-01T00:00:00Z', speed: 60 };
    // Three hours of demand are three minutes on the wall.
    expect(timedWindows({ demandClock }, plan).at(-1)?.wallFromMs).toBe(Date.parse('2026-06-01T00:03:00Z'));
  });
});

describe('radiusOf', () => {
  const region = shopRegion({ planning: PLANNING, neighbours: [] });
  const [quiet, busy] = [{ front: 100 }, { front: 4000 }].map((rps) => planOf(region, forecastOf(rps)));
  if (quiet === undefined || busy === undefined) throw new Error('two plans');
  const approvals = { autoBelowPercent: 10, approverNotRequester: false, timeoutSeconds: 60 };

  it('says nothing where no person has to judge', () => {
    expect(radiusOf(region, null, quiet)).toEqual({});
    expect(radiusOf({ ...region, mode: 'live' }, null, quiet)).toEqual({});
  });

  it('is everything at a launch, and what changes afterwards', () => {
    expect(radiusOf({ ...region, mode: 'preview' }, null, quiet)).toMatchObject({ blastRadius: { percent: 100 } });
    expect(radiusOf({ ...region, approvals }, quiet, quiet)).toEqual({ blastRadius: { percent: 0, services: [] } });
    const { blastRadius } = radiusOf({ ...region, approvals }, quiet, busy);
    expect(blastRadius?.services.map((one) => one.service)).toContain('front');
    expect(blastRadius?.percent).toBeGreaterThan(0);
  });
});
