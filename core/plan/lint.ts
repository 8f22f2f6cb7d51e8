import type { LiveMesh, LiveService } from '../spec/live.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import type { SettingField } from '../spec/settings.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { weightRegions } from './address.js';
import { ADJUSTMENT_REASON, OVERRIDE_REASON, currentWindow, liveCapacity } from './live.js';
import { littlesLaw } from './limits.js';
import { expected } from './override.js';
import { foldPaths } from './paths.js';
import type { Calls } from './paths.js';
import { MAX_AMPLIFICATION, networkMs } from './settings.js';

export interface LintOptions {
  /** As in LiveIntent; absent: as planned. */
  readyInstances?: Readonly<Record<string, number>>;
  /** ISO 8601, demand time: which window of the plan the mesh is of; absent: the first. */
  at?: string;
}

/**
 * Mistakes that a schema and the proxy's own validation cannot see, because they are no mistakes of form. Values that
 * a person set are theirs: of them only what cannot run at all is told (MESH001, MESH002, MESH009).
 *
 * | code | |
 * | --- | --- |
 * | MESH001 | weights are not whole percents that sum to 100 |
 * | MESH002 | requests go to a region where nobody answers |
 * | MESH003 | a rate limit refuses what ready capacity can serve |
 * | MESH004 | a breaker is below what Little's law needs |
 * | MESH005 | a failing endpoint would stay in rotation |
 * | MESH006 | retries may multiply requests beyond 1.5 along a path |
 * | MESH007 | a callee may take longer than its caller waits |
 * | MESH008 | connecting or a health check may take longer than what it is part of |
 * | MESH009 | a value is outside what it may ever be |
 * | MESH010 | an adjusted value is outside the range that the plan's gates covered |
 * | MESH011 | plan and region file do not name the same services |
 */
export function lintMesh(live: LiveMesh, region: RegionSpec, plan: MeshPlan, options: LintOptions = {}): Problem[] {
  const specs = new Map(region.services.map((service) => [service.name, service]));
  const planned = new Map(currentWindow(plan, options.at).services.map((service) => [service.service, service]));
  const problems = live.services.flatMap((service): Problem[] => {
    const spec = specs.get(service.service);
    const own = planned.get(service.service);
    if (spec === undefined || own === undefined)
      return [problem('MESH011', service, '', 'is in no plan or region file')];
    return lintService({ live: service, spec, planned: own, region, options });
  });
  const missing = region.services.filter(({ name }) => !live.services.some((service) => service.service === name));
  return [
    ...problems,
    ...missing.map(({ name }) => ({
      code: 'MESH011',
      field: name,
      message: 'is in the region file, but not in the mesh',
    })),
    ...lintPaths(live, planned),
  ];
}

interface LintInput {
  live: LiveService;
  spec: ServiceSpec;
  planned: ServicePlan;
  region: RegionSpec;
  options: LintOptions;
}

function lintService(input: LintInput): Problem[] {
  const weights = lintWeights(input);
  return [
    ...weights,
    ...lintRanges(input),
    // Limits are reckoned with the weights: what wrong ones say of them would only hide the cause.
    ...(weights.length > 0 ? [] : lintLimits(input)),
    ...lintHealth(input.live),
    ...lintDurations(input.live),
  ];
}

function lintWeights({ live, region }: LintInput): Problem[] {
  const entries = Object.entries(live.weights);
  const problems: Problem[] = [];
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  if (sum !== 100 || entries.some(([, weight]) => !Number.isInteger(weight) || weight < 0)) {
    const said = entries.map(([name, weight]) => `${name} ${weight}`).join(', ');
    problems.push(
      problem('MESH001', live, 'weight', `weights are ${said}: they sum to ${sum}`, 'whole percents, 100 in sum'),
    );
  }
  for (const [name, weight] of entries) {
    if (weight === 0) continue;
    const answers = name === region.name ? live.endpoints.length > 0 : weightRegions(region).includes(name);
    if (!answers) problems.push(problem('MESH002', live, `weight.${name}`, `${weight} % go where no endpoint is`));
  }
  return problems;
}

function lintRanges({ live, planned }: LintInput): Problem[] {
  return (Object.keys(SETTING_FIELDS) as SettingField[]).flatMap((field): Problem[] => {
    const info = SETTING_FIELDS[field];
    const value = live.settings[field];
    if (!inRange(value, info)) return [problem('MESH009', live, field, `is ${String(value)}`, expected(info))];
    const bounds = planned.bounds[field];
    const adjusted = live.reasons[field]?.startsWith(ADJUSTMENT_REASON) === true;
    if (!adjusted || bounds === undefined || typeof value !== 'number') return [];
    if (value >= bounds.min && value <= bounds.max) return [];
    return [problem('MESH010', live, field, `is ${value}`, `from ${bounds.min} to ${bounds.max}, as planned`)];
  });
}

function inRange(value: unknown, info: (typeof SETTING_FIELDS)[SettingField]): boolean {
  if (info.oneOf !== undefined) return typeof value === 'string' && info.oneOf.includes(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (info.integer === true && !Number.isInteger(value)) return false;
  return value >= (info.min ?? -Infinity) && value <= (info.max ?? Infinity);
}

function lintLimits({ live, spec, planned, region, options }: LintInput): Problem[] {
  const { readyInstances } = options;
  const intent = {
    stage: { localPercent: 100, enforceLimits: true },
    adjustments: [],
    overrides: [],
    ...(readyInstances === undefined ? {} : { readyInstances }),
  };
  const capacity = liveCapacity({ region, spec, planned, intent }, live.weights);
  const proxies = region.delivery.hosts.length;
  const problems: Problem[] = [];
  // What somebody moved on purpose may be lower: the instances may serve less than the region file says.
  if (!isMoved(live, 'rateLimit.rps')) {
    const total = live.settings['rateLimit.rps'] * proxies;
    if (total < capacity.admissibleRps * (1 - 1e-9)) {
      const served = `${capacity.admissibleRps} rps that can be served`;
      problems.push(problem('MESH003', live, 'rateLimit.rps', `${proxies} proxies admit ${total} rps of ${served}`));
    }
  }
  const rttMs = networkMs(live.weights, region.neighbours);
  const proxyRps = Math.min(capacity.admissibleRps / proxies, live.settings['rateLimit.rps']);
  const floor = Math.max(1, littlesLaw(proxyRps, spec.capacity.serviceTimeMs + rttMs));
  for (const field of ['breaker.maxRequests', 'breaker.maxConnections'] as const) {
    const value = live.settings[field];
    if (value >= floor || isOverridden(live, field)) continue;
    const needs = `${Math.round(proxyRps)} rps keep ${floor} in flight`;
    problems.push(problem('MESH004', live, field, `is ${value}, but ${needs}`, `${floor} or more`));
  }
  return problems;
}

function lintHealth(live: LiveService): Problem[] {
  const { settings } = live;
  const problems: Problem[] = [];
  const none = (field: SettingField, value: number): void => {
    if (value > 0 || isOverridden(live, field)) return;
    problems.push(problem('MESH005', live, field, `is ${value}: a failing endpoint stays in rotation`, 'more than 0'));
  };
  none('outlier.maxEjectionPercent', settings['outlier.maxEjectionPercent']);
  none('outlier.consecutive5xx', settings['outlier.consecutive5xx']);
  return problems;
}

function lintDurations(live: LiveService): Problem[] {
  const pairs: [SettingField, SettingField][] = [
    ['timeout.connectMs', 'timeout.requestMs'],
    ['health.timeoutMs', 'health.intervalMs'],
  ];
  return pairs.flatMap(([inner, outer]): Problem[] => {
    const [part, whole] = [Number(live.settings[inner]), Number(live.settings[outer])];
    if (part <= whole || isOverridden(live, inner) || isOverridden(live, outer)) return [];
    return [problem('MESH008', live, inner, `${part} ms are more than the ${whole} ms of ${outer}`)];
  });
}

function lintPaths(live: LiveMesh, planned: ReadonlyMap<string, ServicePlan>): Problem[] {
  const services = new Map(live.services.map((service) => [service.service, service]));
  const calls: Calls = Object.fromEntries(
    live.services.map(({ service }) => [service, planned.get(service)?.calls ?? {}]),
  );
  const problems: Problem[] = [];
  for (const [name, callees] of Object.entries(calls)) {
    for (const callee of Object.keys(callees)) {
      const [above, below] = [services.get(name), services.get(callee)];
      if (above === undefined || below === undefined) continue;
      const field = 'timeout.requestMs';
      if (below.settings[field] < above.settings[field] || isOverridden(above, field) || isOverridden(below, field))
        continue;
      const message = `${below.settings[field]} ms are not less than the ${above.settings[field]} ms of its caller ${name}`;
      problems.push(problem('MESH007', below, field, message));
    }
  }
  const factors = foldPaths(calls, (name, below) => retryFactor(services.get(name)) * Math.max(1, ...below));
  const called = new Set(Object.values(calls).flatMap((callees) => Object.keys(callees)));
  for (const service of live.services) {
    const factor = factors[service.service] ?? 1;
    if (called.has(service.service) || factor <= MAX_AMPLIFICATION + 1e-9) continue;
    const message = `retries may multiply requests by ${factor.toFixed(2)} along the calls below it`;
    problems.push(problem('MESH006', service, 'retry.budgetPercent', message, `at most ${MAX_AMPLIFICATION}`));
  }
  return problems;
}

/** What a person overrode counts as nothing: it is no mistake of the plan. */
function retryFactor(service: LiveService | undefined): number {
  if (service === undefined || isOverridden(service, 'retry.budgetPercent')) return 1;
  const { settings } = service;
  return 1 + Math.min(settings['retry.maxPerRequest'], settings['retry.budgetPercent'] / 100);
}

function isOverridden(live: LiveService, field: string): boolean {
  return live.reasons[field]?.startsWith(OVERRIDE_REASON) === true;
}

function isMoved(live: LiveService, field: string): boolean {
  return isOverridden(live, field) || live.reasons[field]?.startsWith(ADJUSTMENT_REASON) === true;
}

function problem(
  code: string,
  { service }: LiveService,
  field: string,
  message: string,
  expectation?: string,
): Problem {
  const place = field === '' ? service : `${service}.${field}`;
  return { code, field: place, message, ...(expectation === undefined ? {} : { expected: expectation }) };
}
