import { describe, expect, it } from '@jest/globals';

import { featuresOf } from '../tuning/bandit/context.js';
import { learn } from '../tuning/bandit/posterior.js';
import { freshState } from '../tuning/bandit/state.js';
import type { TunerState } from '../tuning/bandit/state.js';
import { intervalOf } from '../tuning/split/sequence.js';
import type { TwinAction, TwinView } from './control.js';
import { oneRegion, runOf, service, steady } from './fixtures.js';
import type { TwinModel, TwinPlace, TwinRun } from './model.js';
import { planOnlyPolicy, tunerPolicy } from './tuner.js';
import type { TunerOptions } from './tuner.js';
import { simulate } from './simulate.js';
import type { TwinResult } from './result.js';
import type { TunerDecision } from './tuner/tuning.js';

const DOOR = 3;

/** The door of the service below is too narrow for its bursts, and users have time. */
function narrow(door = DOOR, instances = 4): TwinModel {
  const below = {
    instances,
    workers: 2,
    settings: { 'inbound.maxRequests': door },
    change: { behindInbound: true, maxInstances: 2 * instances },
  };
  const front = service(
    'front',
    { kind: 'constant', meanMs: 1 },
    { instances: 2, workers: 20 },
    { stages: [[{ service: 'below', callsPerRequest: 1 }]], holdsWorker: false },
  );
  return oneRegion([front, service('below', { kind: 'exponential', meanMs: 20 }, below)]);
}

interface Tried {
  result: TwinResult;
  decisions: TunerDecision[];
  actions: { nowMs: number; action: TwinAction }[];
  state: TunerState | undefined;
}

function tried(
  options: TunerOptions = {},
  {
    model = narrow(),
    rps = 330,
    params = {},
    change = {},
    forecastRps = rps,
  }: {
    model?: TwinModel;
    rps?: number;
    params?: Record<string, number>;
    change?: Partial<TwinRun>;
    forecastRps?: number | null;
  } = {},
): Tried {
  const [decisions, actions]: [TunerDecision[], Tried['actions']] = [[], []];
  let state: TunerState | undefined;
  const policy = tunerPolicy({
    ...options,
    decided: (decision) => void decisions.push(decision),
    learned: (after) => {
      state = after;
    },
  });
  const run = policy.create({
    ...{ model, seed: 5, params: { ...policy.grid[0]!, limits: 0, scales: 0, spills: 0, ...params } },
    ...(forecastRps === null ? {} : { forecast: steady(forecastRps) }),
  });
  const control = {
    intervalMs: run.control!.intervalMs,
    onTick: (view: TwinView) => {
      const made = run.control!.onTick(view);
      for (const action of made) actions.push({ nowMs: view.nowMs, action });
      return made;
    },
  };
  const result = simulate({ ...runOf(run.model, rps, { durationMs: 120_000, ...change }), ...run, control });
  return { result, decisions, actions, state };
}

const planned = (model = narrow(), rps = 330, change: Partial<TwinRun> = {}): TwinResult =>
  simulate({ ...runOf(model, rps, { durationMs: 120_000, ...change }) });
const good = ({ totals }: TwinResult): number => totals.entries[0]!.withinDeadline / totals.entries[0]!.offered;

/** A tuner that is sure, and wrong: narrower doors are always better. */
function deceived(): TunerState {
  const state = freshState(1);
  let { concurrency } = state.posteriors;
  const context = { one: 1, load: 0, event: 0, utilisation: 0.3, latency: -1, errors: 1, refused: 0.5, trust: 2 / 3 };
  for (let n = 0; n < 60; n++) {
    for (const direction of [1, -1] as const) {
      const features = featuresOf(context, 0, { family: 'concurrency', direction });
      concurrency = learn(concurrency, features, -0.05 * direction, 0.005);
    }
  }
  return { ...state, posteriors: { ...state.posteriors, concurrency } };
}

describe('the plan alone', () => {
  it('is the model as it is', () => {
    const policy = planOnlyPolicy();
    expect(policy).toMatchObject({ name: 'psmg-plan', grid: [{}] });
    const model = narrow();
    expect(policy.create({ model, seed: 1, params: {} })).toEqual({ model });
  });
});

describe('the tuner in the twin', () => {
  it('widens a door that is too narrow, first for half of the instances, and serves more', () => {
    const { result, decisions, actions, state } = tried();
    expect(good(result)).toBeGreaterThan(good(planned()) + 0.01);
    expect(state!.rungs['below']!.concurrency).toBeGreaterThan(0);
    const doors = actions.filter(({ action }) => action.service === 'below');
    expect(doors[0]!.action.instances).toHaveLength(2);
    expect(doors[0]!.action.settings!['inbound.maxRequests']).toBe(4);
    for (const { choice } of decisions) {
      const shares = Object.values(choice.propensities);
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      expect(choice.propensities[choice.action]).toBeGreaterThan(0);
    }
  });

  it('gives identical bytes for the same seed', () => {
    const [one, two] = [tried(), tried()];
    expect(JSON.stringify(two.result)).toBe(JSON.stringify(one.result));
    expect(JSON.stringify(two.state)).toBe(JSON.stringify(one.state));
  });

  it('changes nothing where nothing is lost', () => {
    const { decisions, actions } = tried({}, { model: narrow(100), rps: 200 });
    expect(decisions).toEqual([]);
    expect(actions).toEqual([]);
  });

  it('has one change at a time in a neighbourhood of calls', () => {
    const { actions } = tried();
    let open: string | null = null;
    for (const { action } of actions) {
      const starts = action.instances !== undefined;
      if (starts) expect(open).toBeNull();
      open = starts ? action.service : null;
    }
    expect(actions.some(({ action }) => action.instances !== undefined)).toBe(true);
  });

  it('a belief that is sure and wrong costs next to nothing', () => {
    const options = { state: deceived() };
    // Late for some, so that a lower limit may be tried at all.
    const model = { ...narrow(16), entries: [{ name: 'users', service: 'front', deadlineMs: 1000, value: 1 }] };
    const failing = { kind: 'failing' as const, service: 'below', errorShare: 0.02, fromMs: 0 };
    const change = { faults: [failing] };
    const { result, actions, decisions } = tried(options, { model, rps: 380, change });
    expect(decisions.some(({ choice }) => choice.action === 'concurrency-')).toBe(true);
    expect(good(result)).toBeGreaterThan(0.98 * good(planned(model, 380, change)));
    expect(actions.length).toBeGreaterThan(0);
  });

  it('no context, no decision: without a forecast it observes only, unless that is what is ablated', () => {
    expect(tried({}, { forecastRps: null }).decisions).toEqual([]);
    expect(tried({ withoutForecast: true }, { forecastRps: null }).decisions.length).toBeGreaterThan(0);
  });

  it('without split judging no change is made by halves', () => {
    const { actions } = tried({ withoutSplit: true });
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.every(({ action }) => action.instances === undefined)).toBe(true);
  });

  it('without guards it moves where guards would hold it', () => {
    const calm = { model: narrow(100), rps: 200 };
    expect(tried({ withoutGuards: true }, calm).decisions.length).toBeGreaterThan(0);
  });

  it('a warm start takes what was learned, unless that is what is ablated', () => {
    const { state } = tried();
    const [warm, cold] = [tried({ state: state! }), tried({ state: state!, withoutWarmStart: true })];
    expect(warm.state!.posteriors.concurrency.trials).toBeGreaterThan(state!.posteriors.concurrency.trials);
    expect(JSON.stringify(cold.state)).toBe(JSON.stringify(tried().state));
  });
});

describe('the fast loop in the twin', () => {
  it('in twice the load the edge keeps goodput near what can be served', () => {
    const model = { ...narrow(12), entries: [{ name: 'users', service: 'front', deadlineMs: 160, value: 1 }] };
    const change = { durationMs: 40_000 };
    const { result } = tried({}, { model, rps: 800, params: { limits: 1, learns: 0 }, change, forecastRps: 350 });
    expect((good(result) * 800) / 400).toBeGreaterThan(0.95);
    expect(good(result)).toBeGreaterThan(good(planned(model, 800, change)));
  });

  it('a service that is lost at home is no reason to turn users away while a neighbour answers for it', () => {
    const model = withNeighbour(narrow(100, 1));
    const down = {
      kind: 'instanceDown' as const,
      service: 'below',
      instance: 0,
      how: 'refuses' as const,
      fromMs: 5000,
    };
    const change = { durationMs: 40_000, faults: [down] };
    const { result } = tried({}, { model, rps: 60, params: { limits: 1, spills: 1, learns: 0 }, change });
    expect(good(planned(model, 60, change))).toBeGreaterThan(0.9);
    expect(good(result)).toBeGreaterThan(good(planned(model, 60, change)) - 0.01);
  });

  it('instances follow what enters, all services at once, and go back to the plan and no further', () => {
    const model = narrow(100);
    const entries = [
      {
        ...{ entry: 'users', shape: 'step' as const },
        points: [0, 20_000, 60_000].map((atMs, i) => ({ atMs, rps: [200, 500, 100][i]! })),
      },
    ];
    const change = { durationMs: 240_000, demand: { entries } };
    const { result } = tried({}, { model, params: { scales: 1, learns: 0 }, change, forecastRps: 200 });
    const below = result.windows.map(({ services }) => services[1]!.instanceSeconds);
    expect(below[10]).toBe(4);
    expect(Math.max(...below)).toBe(8);
    expect(below[25]).toBeGreaterThan(6);
    expect(below.at(-1)).toBe(4);
  });
});

describe('spilling in the twin', () => {
  it('what exceeds ready capacity goes to a neighbour, with the rate limit that both can serve, and comes back', () => {
    const model = withNeighbour(narrow(100));
    const points = [0, 10_000, 30_000].map((atMs, i) => ({ atMs, rps: [200, 500, 200][i]! }));
    const demand = { entries: [{ entry: 'users', shape: 'step' as const, points }] };
    const change = { demand, durationMs: 50_000 };
    const { result, actions } = tried({}, { model, params: { spills: 1, learns: 0 }, change, forecastRps: 200 });
    const sent = result.windows.map(({ services }) => services.find(({ service }) => service === 'below')!.egress);
    expect(sent.slice(0, 10).reduce((a, b) => a + b, 0)).toBe(0);
    expect(sent[20]).toBeGreaterThan(100);
    expect(sent.at(-1)).toBe(0);
    expect(good(result)).toBeGreaterThan(0.97);
    expect(good(planned(model, 200, change))).toBeLessThan(0.9);
    const rates = actions.map(({ action }) => action.settings!['rateLimit.rps']!);
    expect(rates[0]).toBeGreaterThan(1_000_000);
    expect(rates.at(-1)).toBe(1_000_000);
  });
});

/** All services there too, standing by. */
function withNeighbour(one: TwinModel): TwinModel {
  return {
    ...one,
    regions: [...one.regions, { name: 'there', proxies: 1 }],
    network: [{ between: ['here', 'there'], oneWayMs: 10 }],
    services: one.services.map((service) => {
      const here = { ...service.places['here']!, failover: ['there'] };
      return { ...service, places: { here, there: away(service) } };
    }),
  };
}

function away(service: TwinModel['services'][number]): TwinPlace {
  return { ...service.places['here']!, weights: { there: 100 }, behindInbound: false };
}

describe('judging by split', () => {
  it('varies many times less than before and after, under load that comes and goes', () => {
    const points = Array.from({ length: 121 }, (_, n) => ({ atMs: n * 2000, rps: 330 + 60 * Math.sin(n / 5) }));
    const demand = { entries: [{ entry: 'users', shape: 'linear' as const, points, dispersion: 4 }] };
    const [halves, befores]: [number[], number[]] = [[], []];
    let last: number | null = null;
    const share = (view: TwinView, instances: readonly number[]): number => {
      const own = view.instances.filter((one) => one.service === 'below' && instances.includes(one.instance));
      const asked = own.reduce((sum, { offered }) => sum + offered, 0);
      return own.reduce((sum, { succeeded }) => sum + succeeded, 0) / Math.max(1, asked);
    };
    const control = {
      intervalMs: 2000,
      onTick: (view: TwinView) => {
        const all = share(view, [0, 1, 2, 3]);
        halves.push(share(view, [0, 2]) - share(view, [1, 3]));
        if (last !== null) befores.push(all - last);
        // As judged: a mean of ticks before against a mean of ticks after, here of the ones ten ticks ago.
        last = view.tick % 10 === 9 ? all : (last ?? all);
        return [];
      },
    };
    simulate({ ...runOf(narrow(), 330, { durationMs: 240_000 }), demand, control });
    const variance = (values: readonly number[]): number => {
      const sequence = values.reduce(
        ({ count, sum, squares }, one) => ({ count: count + 1, sum: sum + one, squares: squares + one ** 2 }),
        { count: 0, sum: 0, squares: 0 },
      );
      return sequence.count * intervalOf(sequence, 0.05)!.error ** 2;
    };
    expect(variance(befores) / variance(halves)).toBeGreaterThan(4);
  });
});
