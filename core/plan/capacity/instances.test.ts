import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LB_POLICIES } from '../../spec/settings.js';
import { capacityCurve } from './capacityCurve.js';
import { capacityRps, instancesFor } from './instances.js';
import type { InstanceAnswer, InstanceQuestion } from './instances.js';

const base: InstanceQuestion = {
  policy: 'LEAST_REQUEST',
  clientProxies: 4,
  concurrency: 8,
  serviceTimeMs: 20,
  serviceTimeCv: 1,
  sloP99Ms: 250,
  demandRps: 3000,
  minInstances: 2,
  maxInstances: 40,
};

function answer(change: Partial<InstanceQuestion>): InstanceAnswer {
  const found = instancesFor({ ...base, ...change });
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found.value;
}

const cpu = { msPerRequest: 10, coresPerInstance: 1 };
const memory = { mibPerRequest: 10, mibPerInstance: 512, idleMib: 212 };
const zones = ['a', 'a', 'b', 'b', 'c', 'c', 'a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c', 'a', 'b'];

describe('instancesFor', () => {
  it.each([
    // 3,000 rps × 20 ms = 60 workers; 80 % of 8 each.
    ['the limit of utilisation', {}, 10, 'utilisation'],
    ['a limit of its own', { maxUtilisation: 0.5 }, 15, 'utilisation'],
    // 3,000 rps × 10 ms = 30 cores, 80 % of one each.
    ['CPU', { cpu }, 38, 'cpu'],
    ['the stated minimum', { minInstances: 12 }, 12, 'minInstances'],
    ['no demand', { demandRps: 0 }, 2, 'minInstances'],
    ['a fraction of a request', { demandRps: 0.01, minInstances: 1 }, 1, 'minInstances'],
    ['no demand and no minimum', { demandRps: 0, minInstances: 0 }, 0, 'minInstances'],
    ['too few addresses', { maxInstances: 7 }, 7, 'endpoints'],
    ['the loss of an instance', { survive: 'instance' }, 11, 'instanceLoss'],
    // 10 of 15 are left when one of three equal zones is lost.
    ['the loss of a zone', { survive: 'zone', zones, maxInstances: 20 }, 15, 'zoneLoss'],
    ['a loss that the minimum covers', { survive: 'instance', minInstances: 11 }, 11, 'minInstances'],
  ] as const)('%s decides', (_, change, count, binding) => {
    expect(answer(change)).toMatchObject({ count, binding });
  });

  it('holds memory for what is in flight', () => {
    const { binding, perInstanceRps } = answer({ memory, maxInstances: 100 });
    expect(binding).toBe('memory');
    // n + 3.1 √n requests of 10 MiB fit into 300 MiB: n = 17; each stays for up to 250 ms.
    expect(perInstanceRps).toBeCloseTo(17.06 / 0.25, 0);
  });

  it('says by how much too few addresses fall short, now and after a loss', () => {
    const { shortfallRps, shortfallOnLossRps, reason } = answer({ maxInstances: 7, survive: 'instance' });
    expect(shortfallRps).toBeCloseTo(3000 - 7 * 320, 6);
    expect(shortfallOnLossRps).toBeCloseTo(3000 - 6 * 320, 6);
    expect(reason).toContain('all 7 endpoints are used and 760 rps are left');
  });

  it('names the p99 of service where no number of instances meets the SLO', () => {
    const found = instancesFor({ ...base, sloP99Ms: 90 });
    expect(found.ok ? [] : found.problems).toMatchObject([{ code: 'slo-below-service-time' }]);
    // ln 100 × 20 ms
    expect(found.ok ? '' : found.problems[0]?.message).toContain('p99 of 92.1 ms');
  });

  it('refuses to survive the loss of a zone that it does not know', () => {
    const found = instancesFor({ ...base, survive: 'zone', zones: ['a', 'b'] });
    expect(found.ok ? [] : found.problems).toMatchObject([{ code: 'zones-unknown' }]);
  });

  it('explains itself with its numbers', () => {
    const { reason, p99Ms } = answer({ policy: 'RANDOM', concurrency: 1, maxInstances: 400 });
    expect(reason).toMatch(/rps an instance keep the p99 SLO of 250 ms under RANDOM over 4 proxies; p99 about/);
    expect(p99Ms).toBeGreaterThan(230);
    expect(p99Ms).toBeLessThanOrEqual(250.5);
  });
});

const questions = fc.record({
  policy: fc.constantFrom(...LB_POLICIES),
  clientProxies: fc.integer({ min: 1, max: 100 }),
  concurrency: fc.integer({ min: 1, max: 64 }),
  serviceTimeMs: fc.double({ min: 1, max: 500, noNaN: true }),
  serviceTimeCv: fc.double({ min: 0, max: 2, noNaN: true }),
  arrivalCv2: fc.double({ min: 0, max: 4, noNaN: true }),
  demandRps: fc.double({ min: 0, max: 20_000, noNaN: true }),
  minInstances: fc.integer({ min: 0, max: 3 }),
  maxInstances: fc.integer({ min: 1, max: 500 }),
  survive: fc.constantFrom('none', 'instance', 'zone'),
});

function ask(question: Omit<InstanceQuestion, 'sloP99Ms'>, sloFactor: number): InstanceAnswer | undefined {
  const zoneList = Array.from({ length: question.maxInstances }, (_, i) => 'abc'[i % 3] ?? 'a');
  const found = instancesFor({ ...question, zones: zoneList, sloP99Ms: question.serviceTimeMs * sloFactor });
  return found.ok ? found.value : undefined;
}

const RUNS = { numRuns: 60, seed: 5 };

describe('instancesFor, any service', () => {
  it('never takes fewer instances for more demand', () => {
    fc.assert(
      fc.property(questions, fc.double({ min: 1, max: 30, noNaN: true }), (question, factor) => {
        const counts = [0.3, 0.9, 1, 1.01, 1.5].map(
          (times) => ask({ ...question, demandRps: question.demandRps * times }, 2 + factor)?.count ?? 0,
        );
        expect(counts).toEqual([...counts].sort((a, b) => a - b));
      }),
      RUNS,
    );
  });

  it('never takes fewer instances for a tighter SLO', () => {
    fc.assert(
      fc.property(questions, fc.double({ min: 1, max: 30, noNaN: true }), (question, factor) => {
        const answers = [1, 1.02, 1.3, 2, 5].map((times) => ask(question, factor * times));
        // What cannot be met at all comes first, then counts that fall.
        const counts = answers.map((one) => one?.count ?? Infinity);
        expect(counts).toEqual([...counts].sort((a, b) => b - a));
      }),
      RUNS,
    );
  });

  it('finds the smallest count: one fewer does not take the demand, and that many do', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const found = ask({ ...question, survive: 'none' }, 12);
        if (found === undefined || found.binding === 'minInstances' || found.binding === 'endpoints') return;
        const queues = { ...question, sloP99Ms: question.serviceTimeMs * 12 };
        const slack = question.demandRps * 1e-9;
        expect(capacityRps(queues, found.count)).toBeGreaterThanOrEqual(question.demandRps - slack);
        expect(capacityRps(queues, found.count - 1)).toBeLessThan(question.demandRps);
        expect(found.utilisation).toBeLessThanOrEqual(0.8 + 1e-9);
      }),
      RUNS,
    );
  });

  it('takes as much with the names of zones changed', () => {
    const renamed = zones.map((zone) => `zone-${'cab'.indexOf(zone)}`);
    expect(answer({ survive: 'zone', zones: renamed, maxInstances: 20 })).toEqual(
      answer({ survive: 'zone', zones, maxInstances: 20 }),
    );
  });
});

describe('capacityRps', () => {
  it.each(LB_POLICIES)('never falls with more instances under %s', (policy) => {
    const curve = capacityCurve({ ...base, policy, concurrency: 2, sloP99Ms: 130 });
    const counts = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 30, 64, 100, 300, 1024, 3000];
    const rps = counts.map((count) => curve.capacityRps(count));
    expect(rps).toEqual([...rps].sort((a, b) => a - b));
    expect(rps[0]).toBe(0);
    expect(rps[1]).toBeGreaterThan(0);
  });
});
