import type { LiveIntent, LiveMesh, LiveService, Override } from '../spec/live.js';
import type { MeshPlan, PlanWindow, ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import type { ServiceSettings, SettingField, SettingValue } from '../spec/settings.js';
import { parseAddress } from './address.js';
import { IMBALANCE_MARGIN, admissibleRps, limitsFor } from './limits.js';
import type { ProxyLimits } from './limits.js';
import { spareOf } from './plan.js';
import { breakerReason, networkMs, rateReason } from './settings.js';
import { fixWeights, neighboursFor, stagedWeights } from './weights.js';

/** How the reason of a value that a person or the policy set begins; the lint leaves those to them. */
export const OVERRIDE_REASON = 'override by';
export const ADJUSTMENT_REASON = 'adjusted:';

/** The window that holds `at` (ISO 8601, demand time); the nearest one outside all; the first without `at`. */
export function currentWindow(plan: MeshPlan, at?: string): PlanWindow {
  const [first] = plan.windows;
  if (first === undefined) throw new RangeError('a plan has at least one window');
  if (at === undefined) return first;
  const time = Date.parse(at);
  const begun = plan.windows.filter((window) => Date.parse(window.from) <= time);
  return begun.at(-1) ?? first;
}

/**
 * The settings as they should run: plan ⊕ ready capacity ⊕ stage ⊕ adjustments ⊕ overrides, the last wins.
 * Adjustments made against another plan are ignored, as are layers whose address means nothing here. Weights that
 * are overridden stay as a person set them; the others are rescaled to bring the sum to 100 (see `fixWeights`).
 */
export function liveMesh(
  region: RegionSpec,
  plan: MeshPlan,
  planHash: string,
  intent: LiveIntent,
  at?: string,
): LiveMesh {
  const specs = new Map(region.services.map((service) => [service.name, service]));
  const services = currentWindow(plan, at).services.flatMap((planned): LiveService[] => {
    const spec = specs.get(planned.service);
    return spec === undefined ? [] : [liveService({ region, spec, planned, planHash, intent })];
  });
  return { region: plan.region, planHash, services };
}

interface LayerInput {
  region: RegionSpec;
  spec: ServiceSpec;
  planned: ServicePlan;
  planHash: string;
  intent: LiveIntent;
}

function liveService(input: LayerInput): LiveService {
  const { spec, planned } = input;
  const reasons: Record<string, string> = {};
  const weights = layeredWeights(input, reasons);
  const settings = scaledSettings(input, weights, reasons);
  for (const layer of layersOf(input)) {
    if (layer.field.startsWith('weight.')) continue;
    settings[layer.field] = layer.value;
    reasons[layer.field] = layer.reason;
  }
  return {
    service: spec.name,
    ...(spec.entry === undefined ? {} : { entryPathPrefix: spec.entry.pathPrefix }),
    healthPath: spec.healthPath,
    endpoints: planned.endpoints,
    weights,
    // The record was filled from the plan's settings, which has every field.
    settings: settings as unknown as ServiceSettings,
    reasons,
  };
}

interface Layer {
  field: string;
  value: SettingValue;
  reason: string;
}

/** Adjustments, then overrides: the order in which they win. */
function layersOf({ region, spec, planHash, intent }: LayerInput): Layer[] {
  const adjustments = intent.adjustments.filter((adjustment) => adjustment.planHash === planHash);
  const layers = [
    ...adjustments.map(({ address, to, reason }) => ({ address, value: to, reason: `${ADJUSTMENT_REASON} ${reason}` })),
    ...intent.overrides.map((one) => ({ address: one.address, value: one.value, reason: overrideReason(one) })),
  ];
  return layers.flatMap(({ address: text, value, reason }): Layer[] => {
    const parsed = parseAddress(region, text);
    if (!parsed.ok || parsed.address.service !== spec.name) return [];
    const { address } = parsed;
    return [{ field: address.kind === 'weight' ? `weight.${address.region}` : address.field, value, reason }];
  });
}

function overrideReason({ who, why, until }: Override): string {
  return `${OVERRIDE_REASON} ${who}: ${why}${until === undefined ? '' : ` (until ${until})`}`;
}

function layeredWeights(input: LayerInput, reasons: Record<string, string>): Record<string, number> {
  const { region, spec, planned, intent } = input;
  const plannedWeights = Object.fromEntries(Object.entries(planned.weights).map(([name, w]) => [name, w.value]));
  const { localPercent } = intent.stage;
  const staged = stagedWeights({
    service: spec.name,
    own: region.name,
    planned: plannedWeights,
    localPercent,
    demandRps: planned.demand.rps,
    neighbours: region.neighbours,
  });
  for (const name of Object.keys(staged)) {
    const moved = staged[name] !== plannedWeights[name];
    const step = `activation is at ${localPercent} % of the planned ${plannedWeights[region.name] ?? 0}`;
    reasons[`weight.${name}`] = moved ? step : (planned.weights[name]?.reason ?? '');
  }
  const fixed: Record<string, number> = {};
  for (const { field, value, reason } of layersOf(input)) {
    if (!field.startsWith('weight.') || typeof value !== 'number') continue;
    fixed[field.slice('weight.'.length)] = value;
    reasons[field] = reason;
  }
  if (Object.keys(fixed).length === 0) return staged;
  const nearest = neighboursFor(spec.name, region.neighbours).map((neighbour) => neighbour.name);
  const weights = fixWeights(staged, fixed, [region.name, ...nearest]);
  for (const name of Object.keys(weights)) {
    if (!(name in fixed) && weights[name] !== staged[name])
      reasons[`weight.${name}`] = 'makes room for overridden weights';
  }
  return weights;
}

function scaledSettings(
  input: LayerInput,
  weights: Readonly<Record<string, number>>,
  reasons: Record<string, string>,
): Record<string, SettingValue> {
  const { planned, intent } = input;
  const settings: Record<string, SettingValue> = {};
  for (const [field, setting] of Object.entries(planned.settings)) {
    settings[field] = setting.value;
    reasons[field] = setting.reason;
  }
  const capacity = liveCapacity(input, weights);
  if (capacity.asPlanned) return enforce(settings, reasons, intent);
  const { limits } = capacity;
  const scaled: Partial<Record<SettingField, number>> = {
    'rateLimit.rps': within(limits.rateLimitRps, planned, 'rateLimit.rps'),
    'rateLimit.burst': within(limits.burst, planned, 'rateLimit.rps'),
    'breaker.maxRequests': within(limits.maxRequests, planned, 'breaker.maxRequests'),
    'breaker.maxPendingRequests': limits.maxPendingRequests,
    'breaker.maxConnections': limits.maxConnections,
  };
  Object.assign(settings, scaled);
  reasons['rateLimit.rps'] = `${capacity.reason}: ${rateReason(capacity)}`;
  reasons['breaker.maxRequests'] = `${capacity.reason}: ${breakerReason(limits, capacity)}`;
  return enforce(settings, reasons, intent);
}

function within(value: number, planned: ServicePlan, field: 'rateLimit.rps' | 'breaker.maxRequests'): number {
  const bounds = planned.bounds[field];
  return bounds === undefined ? value : Math.min(bounds.max, Math.max(bounds.min, value));
}

function enforce(
  settings: Record<string, SettingValue>,
  reasons: Record<string, string>,
  intent: LiveIntent,
): Record<string, SettingValue> {
  if (intent.stage.enforceLimits) return settings;
  reasons['rateLimit.enforcedPercent'] = 'only counts what it would refuse until activation enforces limits';
  return { ...settings, 'rateLimit.enforcedPercent': 0 };
}

export interface LiveCapacity {
  /** Nothing differs from what the plan reckoned with. */
  asPlanned: boolean;
  /** rps over all proxies, without the margin. */
  admissibleRps: number;
  limits: ProxyLimits;
  proxies: number;
  margin: number;
  p99Ms: number;
  networkMs: number;
  reason: string;
}

/** What can be served under the weights that run, with the instances that are ready. */
export function liveCapacity(
  input: Pick<LayerInput, 'region' | 'spec' | 'planned' | 'intent'>,
  weights: Readonly<Record<string, number>>,
): LiveCapacity {
  const { region, spec, planned } = input;
  const plannedInstances = planned.instances.value;
  const ready = Math.min(input.intent.readyInstances?.[spec.name] ?? plannedInstances, spec.endpoints.length);
  const split = {
    own: region.name,
    weights,
    plannedInstances,
    perInstanceRps: planned.perInstanceRps,
    spareRps: spareOf(region, spec.name),
  };
  const served = admissibleRps({ ...split, readyInstances: ready });
  const samePlace = Object.entries(planned.weights).every(([name, weight]) => weights[name] === weight.value);
  // With all that was planned ready, a limit below what is expected would turn customers away on purpose.
  const admissible = samePlace && ready >= plannedInstances ? Math.max(served, planned.demand.rps) : served;
  const proxies = region.delivery.hosts.length;
  const rttMs = networkMs(weights, region.neighbours);
  const limits = limitsFor({ admissibleRps: admissible, proxies, service: spec, instances: ready, networkMs: rttMs });
  return {
    asPlanned: samePlace && ready === plannedInstances,
    admissibleRps: Math.round(admissible * 10) / 10,
    limits,
    proxies,
    margin: IMBALANCE_MARGIN,
    p99Ms: spec.slo.p99Ms,
    networkMs: Math.round(rttMs * 10) / 10,
    reason: `${ready} of ${plannedInstances} planned instances ready, ${weights[region.name] ?? 0} % of requests here`,
  };
}
