import { describe, expect, it } from '@jest/globals';

import type { AdmissionFactory, TwinView } from './control.js';
import { oneRegion, runOf, service } from './fixtures.js';
import type { TwinModel } from './model.js';
import { simulate } from './simulate.js';

const time = { kind: 'lognormal', meanMs: 10, cv: 1 } as const;

function pair(): TwinModel {
  const a = service(
    'a',
    time,
    { instances: 3, workers: 4 },
    { stages: [[{ service: 'b', callsPerRequest: 1.5 }]], holdsWorker: false },
  );
  return oneRegion(
    [a, service('b', time, { instances: 4, workers: 4, change: { behindInbound: true, maxInstances: 8 } })],
    2,
  );
}

describe('common random numbers', () => {
  it('a policy that changes nothing gives the identical result', () => {
    const run = runOf(pair(), 300);
    const { events: _, ...plain } = simulate(run);
    const idle = {
      intervalMs: 1000,
      onTick: () => [{ service: 'b', settings: { 'inbound.maxRequests': 1_000_000 }, targetInstances: 4 }],
    };
    const admitAll: AdmissionFactory = () => ({ onRequest: () => true, onResponse: () => undefined });
    const { events: __, ...watched } = simulate({ ...run, control: idle, admission: admitAll });
    expect(JSON.stringify(watched)).toBe(JSON.stringify(plain));
  });

  it('two policies see the same arrivals and the same work, request by request', () => {
    const keys = (policy: 'RANDOM' | 'ROUND_ROBIN'): Map<number, number> => {
      const seen = new Map<number, number>();
      const a = service(
        'a',
        { kind: 'exponential', meanMs: 10 },
        { instances: 3, workers: 50, settings: { 'lb.policy': policy } },
      );
      const admission: AdmissionFactory = ({ side }) => {
        if (side !== 'inbound') return undefined;
        return { onRequest: () => true, onResponse: ({ key, latencyMs }) => void seen.set(key, latencyMs) };
      };
      simulate({ ...runOf(oneRegion([a]), 200), admission });
      return seen;
    };
    const [random, turns] = [keys('RANDOM'), keys('ROUND_ROBIN')];
    expect(random.size).toBeGreaterThan(1900);
    // Nobody waits for a worker, so that each takes its own work, the same under both.
    for (const [key, latency] of random) expect(turns.get(key)).toBeCloseTo(latency, 6);
  });
});

describe('controls', () => {
  it('see each instance, and change settings of some of them: a split by the callee', () => {
    const views: TwinView[] = [];
    simulate({
      ...runOf(pair(), 900, { durationMs: 6000 }),
      control: {
        intervalMs: 1000,
        onTick: (view) => {
          views.push(view);
          return view.tick === 1 ? [{ service: 'b', settings: { 'inbound.maxRequests': 1 }, instances: [0, 1] }] : [];
        },
      },
    });
    const ofB = (view: TwinView) =>
      view.instances.filter(({ service: name, state }) => name === 'b' && state === 'ready');
    expect(ofB(views[1]!).map(({ refused }) => refused)).toEqual([0, 0, 0, 0]);
    const [one, two, three, four] = ofB(views[4]!);
    expect(Math.min(one!.refused, two!.refused)).toBeGreaterThan(20);
    expect(three!.refused + four!.refused).toBe(0);
    expect(views[0]!.observation.services.map(({ service: name }) => name)).toEqual(['a', 'b']);
    const { rps, readyInstances, p99Ms } = views[3]!.observation.services[0]!;
    expect(Math.abs(rps - 900)).toBeLessThan(120);
    expect(readyInstances).toBe(3);
    expect(p99Ms).toBeGreaterThan(10);
  });

  it('start and end instances: those that start cost at once and answer later', () => {
    const result = simulate({
      ...runOf(pair(), 300, { durationMs: 10_000 }),
      control: {
        intervalMs: 2000,
        onTick: ({ tick }) =>
          tick === 0
            ? [{ service: 'b', targetInstances: 8 }]
            : tick === 2
              ? [{ service: 'b', targetInstances: 2 }]
              : [],
      },
    });
    const seconds = result.windows.map(({ services }) => services[1]!.instanceSeconds);
    expect(seconds).toEqual([4, 4, 8, 8, 8, 8, 2, 2, 2, 2]);
    expect(result.totals.services[1]!.failed).toBe(0);
  });

  it('an instance that was called back while it drained gets requests, though a check fell due meanwhile', () => {
    const targets: Readonly<Record<number, number>> = { 0: 8, 1: 4, 4: 8 };
    const idle = (view: TwinView): number[] =>
      view.instances.filter((one) => one.service === 'b' && one.offered === 0).map(({ instance }) => instance);
    let last: number[] = [];
    simulate({
      ...runOf(pair(), 300, { durationMs: 10_000 }),
      control: {
        intervalMs: 1000,
        onTick: (view) => {
          last = idle(view);
          const target = targets[view.tick];
          return target === undefined ? [] : [{ service: 'b', targetInstances: target }];
        },
      },
    });
    expect(last).toEqual([]);
  });

  it('a limiter at the door sheds, and is told how each of its requests ended', () => {
    const told = { asked: 0, admitted: 0, answered: 0, most: 0 };
    const admission: AdmissionFactory = ({ side, service: name }) => {
      if (side !== 'inbound' || name !== 'b') return undefined;
      return {
        onRequest: ({ inFlight }) => {
          told.asked++;
          if (inFlight >= 4) return false;
          told.admitted++;
          return true;
        },
        onResponse: ({ inFlight }) => {
          told.answered++;
          told.most = Math.max(told.most, inFlight + 1);
        },
      };
    };
    const { totals } = simulate({ ...runOf(pair(), 1000), admission });
    expect(told.most).toBe(4);
    expect(told.admitted - told.answered).toBeLessThanOrEqual(16);
    expect(totals.services[1]!.refused.controller).toBe(told.asked - told.admitted);
    expect(totals.services[1]!.refused.controller).toBeGreaterThan(100);
  });
});
