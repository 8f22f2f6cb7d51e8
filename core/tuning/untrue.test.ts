import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Observation, ServiceObservation } from '../spec/observation.js';
import { considerAdjustments } from './aimd.js';
import { observation, seen, serviceContext, tuningContext } from './fixtures.js';
import { judgeAdjustment } from './judgeAdjustment.js';
import { judgeStep } from './judge.js';

/**
 * Whatever the numbers say, and whatever else is wrong: an observation with any of these faults gives no proposal and
 * no verdict but "inconclusive", to all three who read it.
 */
const NAMES = ['shop', 'pay'] as const;

interface Fault {
  name: string;
  apply(observation: Observation, service: (typeof NAMES)[number]): Observation;
}

function of(name: string, change: (seen: ServiceObservation) => Partial<ServiceObservation>): Fault {
  const apply: Fault['apply'] = (o, service) => ({
    ...o,
    services: o.services.map((s) => (s.service === service ? { ...s, ...change(s) } : s)),
  });
  return { name, apply };
}

const FAULTS: readonly Fault[] = [
  { name: 'a proxy is missing', apply: (o) => ({ ...o, completeness: 0.5, problems: ['edge-2: did not answer'] }) },
  { name: 'no proxy is known', apply: (o) => ({ ...o, completeness: Number.NaN }) },
  { name: 'nothing was seen', apply: (o) => ({ ...o, completeness: 0, ageSeconds: null, services: [] }) },
  { name: 'stale', apply: (o) => ({ ...o, ageSeconds: 31 }) },
  { name: 'of no known age', apply: (o) => ({ ...o, ageSeconds: null }) },
  {
    name: 'contradicted',
    apply: (o, service) => ({
      ...o,
      contradictions: [{ service, quantity: 'rps', proxies: 50, other: 500, reason: 'apart' }],
    }),
  },
  {
    name: 'a service is missing',
    apply: (o, service) => ({ ...o, services: o.services.filter((s) => s.service !== service) }),
  },
  of('seen by some proxies', () => ({ completeness: 0.5 })),
  of('errors unknown', () => ({ errorRate: null })),
  of('latency unknown', () => ({ p99Ms: null, p99ErrorMs: null })),
];

const numbers = fc.record({
  // Enough of everything to decide: what holds a decision back must be the fault.
  requests: fc.integer({ min: 100, max: 5000 }),
  errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
  p50Ms: fc.integer({ min: 1, max: 300 }),
  p99Ms: fc.integer({ min: 1, max: 2000 }),
  active: fc.integer({ min: 0, max: 60 }),
  readyInstances: fc.option(fc.integer({ min: 0, max: 6 })),
  errors: fc.record({
    upstream5xx: fc.nat(50),
    breaker: fc.nat(50),
    rateLimited: fc.nat(50),
    timeout: fc.nat(5),
    connect: fc.nat(5),
  }),
});

const services = [serviceContext('shop', { callees: ['pay'] }), serviceContext('pay')];
const operate = { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 50 };

interface Readers {
  step: string;
  why: string;
  adjustment: string;
  action: string;
  proposed: boolean;
}

function read(o: Observation, raised: boolean): Readers {
  const criteria = { minRequests: 100, maxErrorRate: 0.01, p99Ms: { shop: 200, pay: 200 } };
  const step = judgeStep({ observation: o, criteria, services: NAMES });
  const [from, to] = raised ? [40, 42] : [40, 38];
  const adjustment = { address: 'shop.breaker.maxRequests', from, to, reason: '', planHash: '', madeAt: '' };
  const inFlight = { adjustment, service: 'shop', baseline: seen('shop'), inconclusiveTicks: 0 };
  const judged = judgeAdjustment({ inFlight, observation: o, services, operate });
  return {
    step: step.verdict,
    why: step.reason,
    adjustment: judged.verdict,
    action: judged.action,
    proposed: considerAdjustments(tuningContext({ observation: o, services, operate })).proposal !== null,
  };
}

describe('an observation that is partial, stale, contradicted or lacks something', () => {
  const cases = fc.record({
    shop: numbers,
    pay: numbers,
    faults: fc.uniqueArray(fc.nat(FAULTS.length - 1), { minLength: 1, maxLength: 4 }),
    service: fc.constantFrom(...NAMES),
    raised: fc.boolean(),
  });

  it('gives no proposal and no verdict, whatever the numbers and however many faults', () => {
    let decided = 0;
    fc.assert(
      fc.property(cases, ({ shop, pay, faults, service, raised }) => {
        const sound = observation([seen('shop', shop), seen('pay', pay)]);
        const told = read(sound, raised);
        if (told.proposed || told.adjustment !== 'inconclusive') decided += 1;
        const untrue = faults.reduce((o, i) => FAULTS[i]?.apply(o, service) ?? o, sound);
        const about = read(untrue, raised);
        expect(about.adjustment).toBe('inconclusive');
        if (isUnmeasured(faults)) expectOnlyMeasured(about, faults, service);
        else expect(about.step).toBe('inconclusive');
        expect(about.action).toBe('wait');
        if (isOfOneService(faults)) return;
        expect(about.proposed).toBe(false);
      }),
      { numRuns: 1000 },
    );
    // The same numbers without the fault do decide.
    expect(decided).toBeGreaterThan(300);
  });

  it('never moves a setting of the service that it is about, or of one that calls it', () => {
    fc.assert(
      fc.property(cases, ({ shop, pay, faults, service }) => {
        const sound = observation([seen('shop', shop), seen('pay', pay)]);
        const untrue = faults.reduce((o, i) => FAULTS[i]?.apply(o, service) ?? o, sound);
        const { proposal } = considerAdjustments(tuningContext({ observation: untrue, services, operate }));
        // pay calls nobody: what is not known of shop is no matter of its own.
        expect(proposal === null || (service === 'shop' && proposal.service === 'pay')).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('is told why in words', () => {
    const sound = observation([seen('shop'), seen('pay')]);
    for (const { apply } of FAULTS.slice(0, 7)) {
      const { refusals } = considerAdjustments(tuningContext({ observation: apply(sound, 'pay'), services, operate }));
      expect(refusals).toMatchObject([{ guard: 'evidence' }]);
    }
  });
});

/** Only such faults leave another service's numbers whole. */
function isOfOneService(faults: readonly number[]): boolean {
  const apart = ['a service is missing', 'seen by some proxies', 'errors unknown', 'latency unknown'];
  return faults.every((i) => apart.includes(FAULTS[i]?.name ?? ''));
}

const UNMEASURED = ['errors unknown', 'latency unknown'];

function isUnmeasured(faults: readonly number[]): boolean {
  return faults.every((i) => UNMEASURED.includes(FAULTS[i]?.name ?? ''));
}

/** A stage never stands then; it may fall, by what was measured: another service's numbers, or errors beyond any latency. */
function expectOnlyMeasured({ step, why }: Readers, faults: readonly number[], service: string): void {
  expect(step).not.toBe('successful');
  if (step === 'inconclusive') return;
  expect(why).not.toContain(`${service}: p99`);
  if (faults.some((i) => FAULTS[i]?.name === 'errors unknown')) expect(why).not.toContain(`${service}: `);
}
