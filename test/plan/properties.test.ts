import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { checkEnvoyYaml } from '../../adapters/mesh/envoySchema/checkEnvoyConfig.js';
import { generateGraph } from '../../bench/graph/generateGraph.js';
import { generateRegion } from '../../bench/plan/generateRegion.js';
import { createRandom } from '../../core/forecast/random.js';
import { buildGraph } from '../../core/graph/build.js';
import { lintMesh } from '../../core/plan/lint.js';
import { liveMesh } from '../../core/plan/live.js';
import { planMesh } from '../../core/plan/plan.js';
import type { PlanInput } from '../../core/plan/plan.js';
import { windowAt } from '../../core/plan/windowAt.js';
import { asDeltas } from '../../core/plan/windows.js';
import type { DemandForecast, ForecastSeries, Trust } from '../../core/spec/forecast.js';
import type { ServiceEdge } from '../../core/spec/graph.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveIntent, LiveMesh } from '../../core/spec/live.js';
import type { MeshPlan, PlanWindow, ServicePlan } from '../../core/spec/plan.js';
import type { HostSpec, PlanningSpec, RegionSpec, ServiceSpec } from '../../core/spec/region.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';

const HOUR_MS = 3_600_000;
const STAGES = [0, 50, 100];
/** Of a critical service's rate limit. */
const MOST_MARGIN = 1.66;

/** What a generated region is made of; fast-check shrinks it to the plainest that fails. */
interface Shape {
  services: number;
  seed: number;
  steps: number;
  neighbours: number;
  hosts: number;
  windowSeconds: number | null;
  leadSeconds: number;
  hysteresis: number;
  survive: PlanningSpec['survive'];
  /** Of the neighbours' usual spare capacity. */
  spare: number;
  /** Of the endpoints that the peak needs; too few have to shed. */
  endpoints: number;
  /** Of the usual demand. */
  demand: number;
  traits: boolean;
  inbound: boolean;
  joint: boolean;
  circle: boolean;
  idle: boolean;
}

const shapes = fc.record<Shape>({
  services: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer({ min: 0, max: 9999 }),
  steps: fc.constantFrom(1, 2, 5, 12, 24),
  neighbours: fc.integer({ min: 0, max: 3 }),
  hosts: fc.integer({ min: 1, max: 3 }),
  windowSeconds: fc.constantFrom(null, 3600, 5400, 14_400, 86_400, 604_800),
  leadSeconds: fc.constantFrom(0, 300, 7200),
  hysteresis: fc.constantFrom(0, 0.1, 0.5),
  survive: fc.constantFrom('none', 'instance', 'zone'),
  spare: fc.constantFrom(0, 0.1, 0.5, 1, 3),
  endpoints: fc.constantFrom(0.05, 0.4, 1, 1.5),
  demand: fc.constantFrom(0, 0.01, 0.3, 1),
  traits: fc.boolean(),
  inbound: fc.boolean(),
  joint: fc.boolean(),
  circle: fc.boolean(),
  idle: fc.boolean(),
});

function inputOf(shape: Shape): PlanInput {
  const made = generateGraph({ services: shape.services, seed: shape.seed });
  const names = [...made.services, ...(shape.idle ? ['nobody-calls'] : [])];
  const graph = graphOf(names, [...made.edges, ...(shape.circle ? circleOf(made.edges) : [])]);
  const planning: PlanningSpec = {
    ...{ windowSeconds: shape.windowSeconds ?? 0, leadSeconds: shape.leadSeconds, hysteresis: shape.hysteresis },
    ...{ survive: shape.survive, maxUtilisation: 0.75, arrivalCv2: 1 },
  };
  const { region, forecast } = generateRegion({
    ...{ graph, entries: made.entries, seed: shape.seed, neighbours: shape.neighbours, hosts: shape.hosts },
    ...{ entryRps: 150, steps: shape.steps },
    ...(shape.windowSeconds === null ? {} : { planning }),
  });
  const random = createRandom(shape.seed + 7);
  const services = region.services.map((service): ServiceSpec => {
    const count = Math.max(1, Math.round(service.endpoints.length * shape.endpoints));
    return { ...service, endpoints: service.endpoints.slice(0, count), ...(shape.traits ? traitsOf(random) : {}) };
  });
  const neighbours = region.neighbours.map((neighbour) => ({
    ...neighbour,
    spareRps: Object.fromEntries(Object.entries(neighbour.spareRps).map(([name, rps]) => [name, rps * shape.spare])),
  }));
  const changed = { ...region, services, neighbours };
  return {
    region: shape.inbound ? behindProxies(changed) : changed,
    graph,
    forecast: scaled(shape.joint ? forecast : { series: forecast.series, notes: [] }, shape.demand),
  };
}

function graphOf(services: readonly string[], edges: readonly ServiceEdge[]): PlanInput['graph'] {
  const built = buildGraph({ services, edges });
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return built.value;
}

/** A callee that sometimes asks its caller back. */
function circleOf(edges: readonly ServiceEdge[]): ServiceEdge[] {
  const last = edges.at(-1);
  if (last === undefined) return [];
  const callsPerRequest = Math.min(0.1, 0.2 / last.callsPerRequest);
  return [{ ...last, caller: last.callee, callee: last.caller, callsPerRequest }];
}

function traitsOf(random: () => number): Partial<ServiceSpec> {
  const pick = <T>(...list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return {
    criticality: pick('critical', 'normal', 'sheddable'),
    idempotent: random() < 0.5,
    heterogeneous: random() < 0.3,
    ...(random() < 0.3 ? { affinity: pick({ header: 'x-user' }, { cookie: 'user' }) } : {}),
    ...(random() < 0.5 ? { payload: { requestBytes: 2000, responseBytes: 60_000 } } : {}),
  };
}

/** Every endpoint of every second service is reached through a proxy of its own. */
function behindProxies(region: RegionSpec): RegionSpec {
  const inbound = region.services
    .filter((_, i) => i % 2 === 0)
    .flatMap(({ name, endpoints }) =>
      endpoints.map(({ address, port }) => ({
        ...{ service: name, socket: { address, port }, app: { address, port: port + 10_000 } },
      })),
    );
  const hosts = region.delivery.hosts.map((host, i): HostSpec => (i > 0 ? host : withInbound(host, inbound)));
  return { ...region, delivery: { ...region.delivery, hosts } };
}

function withInbound(host: HostSpec, inbound: NonNullable<HostSpec['proxy']['inbound']>): HostSpec {
  return { ...host, proxy: { ...host.proxy, inbound } };
}

function scaled(forecast: DemandForecast, factor: number, trust?: Trust): DemandForecast {
  const series = forecast.series.map((one): ForecastSeries => {
    const times = (list: readonly number[]): number[] => list.map((value) => value * factor);
    const { p50, p80, p90, p95, p99 } = one.quantiles;
    const quantiles = { p50: times(p50), p80: times(p80), p90: times(p90), p95: times(p95), p99: times(p99) };
    return { ...one, quantiles, ...(trust === undefined ? {} : { trust }) };
  });
  return { ...forecast, series };
}

function planned(input: PlanInput): MeshPlan {
  const plan = planMesh(input);
  if (!plan.ok) throw new Error(JSON.stringify(plan.problems.slice(0, 5)));
  return plan.value;
}

/** Every hour of the horizon, window borders and the moments beside them. */
function moments(plan: MeshPlan, forecast: DemandForecast): string[] {
  const times = forecast.series[0]?.timestamps.map((text) => Date.parse(text)) ?? [];
  const borders = plan.windows.flatMap(({ from, to }) => [Date.parse(from), Date.parse(to) - 1]);
  return [...new Set([...times, ...borders])].sort((a, b) => a - b).map((ms) => new Date(ms).toISOString());
}

function live(input: PlanInput, plan: MeshPlan, change: Partial<LiveIntent>): LiveMesh {
  const stage = { localPercent: 100, enforceLimits: true };
  return liveMesh(input.region, plan, planHash(plan), { stage, adjustments: [], overrides: [], ...change });
}

/** All that a window says but the words and the demand that it was planned with. */
function valuesOf(window: PlanWindow): unknown {
  const of = (record: Readonly<Record<string, { value: unknown }>>): unknown =>
    Object.fromEntries(Object.entries(record).map(([name, one]) => [name, one.value]));
  return window.services.map((one) => ({
    ...{ service: one.service, instances: one.instances.value, endpoints: one.endpoints, calls: one.calls },
    ...{ perInstanceRps: one.perInstanceRps, weights: of(one.weights), failover: one.failover },
    ...{ admission: one.admission?.value, settings: of(one.settings), bounds: one.bounds },
  }));
}

function property(runs: number, check: (shape: Shape, input: PlanInput, plan: MeshPlan) => void): void {
  fc.assert(
    fc.property(shapes, (shape) => {
      const input = inputOf(shape);
      check(shape, input, planned(input));
    }),
    { seed: 20_260_105, numRuns: runs },
  );
}

describe('every plan of a generated region', () => {
  it('has whole weights that sum to 100, and none where there is no capacity', () => {
    property(50, (_, { region }, plan) => {
      for (const { from } of plan.windows) {
        for (const one of windowAt(plan, from).services) {
          const weights = Object.entries(one.weights).map(([name, { value }]) => [name, value] as const);
          expect(weights.reduce((sum, [, value]) => sum + value, 0)).toBe(100);
          const spare = new Map(region.neighbours.map(({ name, spareRps }) => [name, spareRps[one.service] ?? 0]));
          spare.set(region.name, one.instances.value * one.perInstanceRps);
          for (const [name, value] of weights) {
            expect(Number.isInteger(value) && value >= 0 && (value === 0 || (spare.get(name) ?? 0) > 0)).toBe(true);
          }
          for (const target of one.failover ?? []) {
            expect(target.spareRps).toBeGreaterThan(0);
            expect(target.spareRps).toBeLessThanOrEqual((spare.get(target.region) ?? 0) + 0.05);
          }
        }
      }
    });
  });

  it('covers the horizon without a gap, and says of every moment what its windows say', () => {
    property(30, (_, { forecast }, plan) => {
      const times = forecast.series[0]?.timestamps.map((text) => Date.parse(text)) ?? [];
      const stepMs = times.length > 1 ? HOUR_MS : 0;
      const [first, last] = [plan.windows[0], plan.windows.at(-1)];
      expect(Date.parse(first?.from ?? '')).toBe(times[0]);
      expect(Date.parse(last?.to ?? '')).toBe((times.at(-1) ?? 0) + stepMs);
      plan.windows.slice(1).forEach((window, i) => expect(window.from).toBe(plan.windows[i]?.to));
      const whole = plan.windows.map(({ from }) => windowAt(plan, from));
      expect(asDeltas(whole)).toEqual(plan.windows);
      for (const at of moments(plan, forecast)) {
        const holds = plan.windows.findLastIndex((window) => Date.parse(window.from) <= Date.parse(at));
        expect(windowAt(plan, at)).toEqual(whole[Math.max(0, holds)]);
      }
    });
  });

  it('lints clean and is valid for Envoy at every stage, whatever is ready', () => {
    property(8, (shape, input, plan) => {
      const random = createRandom(shape.seed);
      const drawn = plan.windows[Math.floor(random() * plan.windows.length)];
      for (const { from } of new Set([plan.windows[0], drawn].flatMap((window) => window ?? []))) {
        for (const localPercent of STAGES) {
          const readyInstances = Object.fromEntries(
            input.region.services.map(({ name, endpoints }) => [name, Math.floor(random() * (endpoints.length + 2))]),
          );
          for (const ready of [{}, { readyInstances }]) {
            const stage = { localPercent, enforceLimits: localPercent === 100 };
            const mesh = live(input, plan, { stage, window: from, ...ready });
            expect(mesh).toEqual(live(input, plan, { stage, window: from, ...ready }));
            expect(lintMesh(mesh, input.region, plan, { at: from, ...ready })).toEqual([]);
          }
          if (from !== drawn?.from) continue;
          const mesh = live(input, plan, {
            stage: { localPercent, enforceLimits: true },
            window: from,
            readyInstances,
          });
          const host = input.region.delivery.hosts[0] as HostSpec;
          expect(checkEnvoyYaml(flatten(render(mesh, input.region, host)))).toEqual([]);
        }
      }
    });
  });

  it('has as many instances or more for more demand, where nothing can go elsewhere', () => {
    property(20, (shape, input, plan) => {
      const alone = { ...input, region: { ...input.region, neighbours: [] } };
      const less = shape.neighbours === 0 ? plan : planned(alone);
      const more = planned({ ...alone, forecast: scaled(input.forecast, 1 + (shape.seed % 10) / 5) });
      const total = (of: MeshPlan, at: string): number =>
        windowAt(of, at).services.reduce((sum, one) => sum + one.instances.value, 0);
      for (const at of moments(less, input.forecast)) {
        expect(total(more, at)).toBeGreaterThanOrEqual(total(less, at));
      }
    });
  });

  it('never plans for less than the plan before on a forecast of low trust', () => {
    property(20, (shape, input, plan) => {
      const later = planned({
        ...input,
        forecast: scaled(input.forecast, (shape.seed % 15) / 10, 'low'),
        previous: plan,
      });
      for (const at of moments(plan, input.forecast)) {
        const before = new Map(windowAt(plan, at).services.map((one) => [one.service, one.demand.rps]));
        for (const one of windowAt(later, at).services) {
          if (one.demand.trust !== 'low') continue;
          expect(one.demand.rps).toBeGreaterThanOrEqual((before.get(one.service) ?? 0) * (1 - 1e-9));
        }
      }
    });
  });

  it('lets in what ready instances can serve, and as many at a time as they work on', () => {
    property(32, (shape, input, plan) => {
      const random = createRandom(shape.seed);
      const { region } = input;
      const proxies = region.delivery.hosts.length;
      for (const { from } of plan.windows) {
        const readyInstances = Object.fromEntries(
          region.services.map(({ name, endpoints }) => [name, Math.floor(random() * (endpoints.length + 1))]),
        );
        const mesh = live(input, plan, { window: from, readyInstances });
        const planOf = new Map(windowAt(plan, from).services.map((one) => [one.service, one]));
        for (const { service, weights, failover, settings } of mesh.services) {
          const one = planOf.get(service) as ServicePlan;
          const ready = readyInstances[service] ?? 0;
          const spec = region.services.find(({ name }) => name === service) as ServiceSpec;
          const slots = settings['breaker.maxRequests'] * proxies;
          expect(slots).toBeGreaterThanOrEqual(ready * spec.capacity.concurrency);
          expect(settings['breaker.maxConnections']).toBeGreaterThanOrEqual(settings['breaker.maxRequests']);
          expect(settings['inbound.maxRequests']).toBeGreaterThanOrEqual(spec.capacity.concurrency);
          // Nothing sheds, and nothing can go elsewhere.
          if ((one.admission?.value ?? 1) < 1 || weights[region.name] !== 100 || failover?.length !== 0) continue;
          const letIn = settings['rateLimit.rps'] * proxies;
          expect(letIn).toBeGreaterThanOrEqual(ready * one.perInstanceRps * (1 - 1e-9));
          if (ready >= one.instances.value) continue;
          expect(letIn).toBeLessThanOrEqual(MOST_MARGIN * Math.max(1, ready) * one.perInstanceRps + 2 * proxies);
        }
      }
    });
  });

  it('says the same whatever the order of services, calls, neighbours, proxies and series', () => {
    property(24, (shape, input, plan) => {
      // To the last percent: these neighbours differ in their distance, so that no two optima tie.
      const order = createRandom(shape.seed + 1);
      const other = planned(shuffled(input, order));
      expect(other.windows.map(({ from, to }) => [from, to])).toEqual(plan.windows.map(({ from, to }) => [from, to]));
      for (const { from } of plan.windows) {
        expect(inOrder(windowAt(other, from))).toEqual(inOrder(windowAt(plan, from)));
      }
      expect([...other.warnings].sort()).toEqual([...plan.warnings].sort());
    });
  });
});

function shuffled(input: PlanInput, random: () => number): PlanInput {
  const mix = <T>(list: readonly T[]): T[] =>
    list
      .map((one) => [random(), one] as const)
      .sort(([a], [b]) => a - b)
      .map(([, one]) => one);
  const { region, graph, forecast } = input;
  const services = mix(region.services);
  const hosts = mix(region.delivery.hosts);
  return {
    region: { ...region, services, neighbours: mix(region.neighbours), delivery: { ...region.delivery, hosts } },
    graph: graphOf(mix(graph.services), mix(graph.edges)),
    forecast: { ...forecast, series: mix(forecast.series) },
  };
}

function inOrder(window: PlanWindow): unknown {
  const services = [...window.services].sort((a, b) => (a.service < b.service ? -1 : 1));
  return valuesOf({ ...window, services });
}
