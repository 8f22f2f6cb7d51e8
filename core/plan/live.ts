import type { LiveIntent, LiveMesh, LiveService, Override } from '../spec/live.js';
import type { MeshPlan, ServicePlan } from '../spec/plan.js';
import type { RegionSpec, ServiceSpec } from '../spec/region.js';
import type { ServiceSettings, SettingField, SettingValue } from '../spec/settings.js';
import { parseAddress } from './address.js';
import { inboundOf, isBehindInbound } from './inbound.js';
import type { InboundIndex } from './inbound.js';
import { hasSlowStart } from './lb.js';
import { endpointsInUse, liveCapacity } from './liveCapacity.js';
import { ejectionPercent } from './outlier.js';
import { retriesAnyFailure } from './retries.js';
import { breakerReason, rateReason } from './settings.js';
import { fixWeights, neighboursFor, stagedWeights } from './weights.js';
import { windowAt, windowBefore } from './windowAt.js';

/** How the reason of a value that a person or the policy set begins; the lint leaves those to them. */
export const OVERRIDE_REASON = 'override by';
export const ADJUSTMENT_REASON = 'adjusted:';

/**
 * The settings as they should run: plan ⊕ ready capacity ⊕ stage ⊕ adjustments ⊕ overrides, the last wins.
 * Adjustments made against another plan are ignored, as are layers whose address means nothing here. Weights that
 * are overridden stay as a person set them; the others are rescaled to bring the sum to 100 (see `fixWeights`).
 * The intent's window of the plan runs; where it names none, the one at `at` (ISO 8601, demand time), else the first.
 */
export function liveMesh(
  region: RegionSpec,
  plan: MeshPlan,
  planHash: string,
  intent: LiveIntent,
  at?: string,
): LiveMesh {
  const specs = new Map(region.services.map((service) => [service.name, service]));
  const inbound = inboundOf(region);
  const layers = layersByService(region, planHash, intent);
  const window = intent.window ?? at;
  const before = new Map(windowBefore(plan, window)?.services.map((one) => [one.service, one.instances.value]));
  const services = windowAt(plan, window).services.flatMap((planned): LiveService[] => {
    const spec = specs.get(planned.service);
    if (spec === undefined) return [];
    const endpoints = endpointsInUse(spec, planned, intent, before.get(spec.name));
    return [liveService({ region, spec, planned, intent, inbound, endpoints, layers: layers.get(spec.name) ?? [] })];
  });
  return { region: plan.region, planHash, services };
}

interface LayerInput {
  region: RegionSpec;
  spec: ServiceSpec;
  planned: ServicePlan;
  intent: LiveIntent;
  inbound: InboundIndex;
  /** Local endpoints among which requests are shared, the first of the region file's. */
  endpoints: number;
  /** Adjustments, then overrides: the order in which they win. */
  layers: readonly Layer[];
}

interface Layer {
  field: string;
  value: SettingValue;
  reason: string;
}

function liveService(input: LayerInput): LiveService {
  const { spec, planned, inbound } = input;
  const reasons: Record<string, string> = {};
  const weights = layeredWeights(input, reasons);
  const settings = scaledSettings(input, weights, reasons);
  for (const { field, value, reason } of input.layers) {
    if (field.startsWith('weight.')) continue;
    settings[field] = value;
    reasons[field] = reason;
  }
  withoutIdleSlowStart(settings, reasons);
  const unplanned = spec.endpoints.slice(input.endpoints);
  return {
    service: spec.name,
    ...(spec.entry === undefined ? {} : { entryPathPrefix: spec.entry.pathPrefix }),
    healthPath: spec.healthPath,
    endpoints: spec.endpoints.slice(0, input.endpoints),
    ...(unplanned.length === 0 ? {} : { unplanned }),
    ...(spec.protocol === undefined ? {} : { protocol: spec.protocol }),
    ...(spec.affinity === undefined ? {} : { affinity: spec.affinity }),
    ...(retriesAnyFailure(spec, isBehindInbound(spec, inbound), planned.calls ?? {}) ? { idempotent: true } : {}),
    ...(planned.failover === undefined ? {} : { failover: planned.failover.map(({ region }) => region) }),
    weights,
    // The record was filled from the plan's settings, which has every field.
    settings: settings as unknown as ServiceSettings,
    reasons,
  };
}

/** A person's policy may have no slow start: then what was planned for another would only be refused. */
function withoutIdleSlowStart(settings: Record<string, SettingValue>, reasons: Record<string, string>): void {
  const isPersons = reasons['lb.slowStartMs']?.startsWith(OVERRIDE_REASON) === true;
  if (settings['lb.slowStartMs'] === 0 || isPersons) return;
  if (hasSlowStart(settings['lb.policy'] as ServiceSettings['lb.policy'])) return;
  settings['lb.slowStartMs'] = 0;
  reasons['lb.slowStartMs'] = `${String(settings['lb.policy'])} has no slow start`;
}

function layersByService(region: RegionSpec, planHash: string, intent: LiveIntent): ReadonlyMap<string, Layer[]> {
  const adjustments = intent.adjustments.filter((adjustment) => adjustment.planHash === planHash);
  const said = [
    ...adjustments.map(({ address, to, reason }) => ({ address, value: to, reason: `${ADJUSTMENT_REASON} ${reason}` })),
    ...intent.overrides.map((one) => ({ address: one.address, value: one.value, reason: overrideReason(one) })),
  ];
  const layers = new Map<string, Layer[]>();
  for (const { address: text, value, reason } of said) {
    const parsed = parseAddress(region, text);
    if (!parsed.ok) continue;
    const { address } = parsed;
    const field = address.kind === 'weight' ? `weight.${address.region}` : address.field;
    const list = layers.get(address.service) ?? [];
    list.push({ field, value, reason });
    layers.set(address.service, list);
  }
  return layers;
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
  for (const { field, value, reason } of input.layers) {
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
  ejectAmong(input, weights, settings, reasons);
  const capacity = liveCapacity(input, weights);
  if (capacity.asPlanned) return enforce(settings, reasons, intent);
  const { limits } = capacity;
  const { behindInbound, letIn, proxies } = capacity;
  const maxRequests = within(limits.maxRequests, planned, 'breaker.maxRequests');
  const scaled: Partial<Record<SettingField, number>> = {
    'rateLimit.rps': within(limits.rateLimitRps, planned, 'rateLimit.rps'),
    'rateLimit.burst': limits.burst,
    'breaker.maxRequests': maxRequests,
    'breaker.maxPendingRequests': maxRequests,
    'breaker.maxConnections': 2 * maxRequests,
  };
  Object.assign(settings, scaled);
  reasons['rateLimit.rps'] = `${capacity.reason}: ${rateReason(letIn, proxies)}`;
  reasons['breaker.maxRequests'] = `${capacity.reason}: ${breakerReason(limits, { ...capacity, behindInbound })}`;
  return enforce(settings, reasons, intent);
}

/** A percent of the planned endpoints may be less than one of those that there are, and would eject nobody. */
function ejectAmong(
  { region, spec, planned, endpoints }: LayerInput,
  weights: Readonly<Record<string, number>>,
  settings: Record<string, SettingValue>,
  reasons: Record<string, string>,
): void {
  const isPlanned = (name: string): boolean => (planned.weights[name]?.value ?? 0) > 0;
  const sameRegions = Object.entries(weights).every(([name, weight]) => weight > 0 === isPlanned(name));
  if (sameRegions && endpoints === planned.instances.value) return;
  const standby = planned.failover?.map((one) => one.region);
  const demandRps = planned.demand.rps;
  const { perInstanceRps } = planned;
  settings['outlier.maxEjectionPercent'] = ejectionPercent({
    ...{ region, service: spec, demandRps, instances: endpoints, perInstanceRps, weights },
    ...(standby === undefined ? {} : { standby }),
  });
  reasons['outlier.maxEjectionPercent'] =
    `as many of the ${endpoints} endpoints in use as the demand can do without, at least one of several hosts`;
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
