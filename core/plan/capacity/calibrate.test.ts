import { describe, expect, it } from '@jest/globals';
import { calibrateCapacity } from './calibrate.js';
import type { PastDeployment } from './records/pastDeployment.js';
import { simulateQueues } from './queueSimulation.js';

const context = { service: 'front', sloP99Ms: 400, policy: 'LEAST_REQUEST', clientProxies: 3 } as const;
const stated = { concurrency: 4, serviceTimeMs: 20, startupSeconds: 10, serviceTimeCv: 1 };

/** What a service with these queues would have shown. */
function recordsOf(concurrency: number, serviceTimeMs: number, startupSeconds = 10): PastDeployment[] {
  return Array.from({ length: 12 }, (_, i) => {
    const utilisation = 0.2 + 0.06 * i;
    const { p99 } = simulateQueues({
      instances: 6,
      concurrency,
      proxies: 3,
      policy: 'LEAST_REQUEST',
      utilisation,
      serviceTimeCv: 1,
      arrivalCv2: 1,
      requests: 20_000,
      seed: i,
    });
    const throughputRps = (utilisation * 6 * concurrency * 1000) / serviceTimeMs;
    return {
      at: i * 3_600_000,
      service: 'front',
      instances: 6,
      throughputRps,
      p99Ms: p99 * serviceTimeMs,
      startupSeconds,
    };
  });
}

describe('calibrateCapacity', () => {
  it('finds what it was told and leaves it', () => {
    const found = calibrateCapacity(stated, recordsOf(4, 20), context);
    expect(Math.abs((found.seen.serviceTimeMs ?? 0) / 20 - 1)).toBeLessThan(0.1);
    expect(Math.abs((found.seen.concurrency ?? 0) - 4)).toBeLessThanOrEqual(1);
    expect(found.confidence).toBeGreaterThan(0.5);
    expect(found.warnings).toEqual([]);
  });

  it('plans with less capacity where the service was seen slower, and warns', () => {
    const found = calibrateCapacity(stated, recordsOf(4, 40), context);
    expect(Math.abs(found.capacity.serviceTimeMs / 40 - 1)).toBeLessThan(0.15);
    expect(found.warnings.map(({ field }) => field)).toContain('capacity.serviceTimeMs');
    expect(found.reasons.join()).toContain('as seen, not 200 as stated');
  });

  it('never raises what is stated, but says what was seen', () => {
    const found = calibrateCapacity(stated, recordsOf(8, 20), context);
    expect(found.capacity).toEqual(stated);
    expect(found.seen.maxInstanceRps).toBeGreaterThan(250);
    expect(found.warnings.map(({ code }) => code)).toContain('capacity-contradicted');
  });

  it('takes the start, and no throughput, from records that know the start only', () => {
    const starts = [31, 44, 40].map((startupSeconds, at) => ({ at, service: 'front', instances: 2, startupSeconds }));
    const found = calibrateCapacity(stated, starts, context);
    expect(found.capacity).toEqual({ ...stated, startupSeconds: 44 });
    expect(found).toMatchObject({ seen: { startupSeconds: 44 }, confidence: 0 });
    expect(Object.keys(found.seen)).toEqual(['startupSeconds']);
    const mixed = calibrateCapacity(stated, [...recordsOf(4, 40), ...starts], context);
    const alone = calibrateCapacity(stated, recordsOf(4, 40), context);
    expect(mixed.seen).toEqual({ ...alone.seen, startupSeconds: 40 });
  });

  it('takes over a start that is longer, not one that is shorter', () => {
    expect(calibrateCapacity(stated, recordsOf(4, 20, 60), context).capacity.startupSeconds).toBe(60);
    expect(calibrateCapacity(stated, recordsOf(4, 20, 2), context).capacity.startupSeconds).toBe(10);
  });

  it('does not depend on the order of the records', () => {
    const records = recordsOf(4, 30);
    expect(calibrateCapacity(stated, [...records].reverse(), context)).toEqual(
      calibrateCapacity(stated, records, context),
    );
  });

  it('stays with what is stated where records say nothing of latency, or there are none', () => {
    const bare = recordsOf(4, 40).map(({ p99Ms: _, ...rest }) => rest);
    expect(calibrateCapacity(stated, bare, context)).toMatchObject({ capacity: stated, confidence: 0 });
    expect(calibrateCapacity(stated, [], context)).toMatchObject({ capacity: stated, seen: {}, confidence: 0 });
  });
});
