import { wholePercents } from '../../plan/weights.js';
import type { TwinAction, TwinControl, TwinView } from '../control.js';
import type { TwinModel, TwinService } from '../model.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, neighboursOf, ownRegion, timeoutMs } from './istioModel.js';
import { param } from '../policy.js';
import { holdMsByService } from './serving.js';

/**
 * Waterfall: each service has a fixed rate that its instances in a region may take. Our region takes its own up to
 * there; what is above goes to the nearest region that has the service up to its rate, then to the next; what nobody
 * has room for is shared by all in proportion to their rates. Rates are of what was offered in the last interval, each
 * service for itself, blind to what the calls of a request meet elsewhere.
 */
export const waterfall: TwinPolicy = {
  name: 'waterfall',
  source:
    'Google Cloud Service Mesh WATERFALL_BY_REGION (capacity 80 %); Meta ServiceRouter (OSDI 2023); as the baseline of SLATE (HotNets 2024)',
  grid: [
    { capacityThreshold: 0.8, intervalMs: 1000, timeoutOverDeadline: 0 },
    { capacityThreshold: 0.9, intervalMs: 1000, timeoutOverDeadline: 0 },
    { capacityThreshold: 0.7, intervalMs: 1000, timeoutOverDeadline: 0 },
    { capacityThreshold: 0.8, intervalMs: 5000, timeoutOverDeadline: 0 },
    { capacityThreshold: 0.8, intervalMs: 1000, timeoutOverDeadline: 1 },
    { capacityThreshold: 0.9, intervalMs: 1000, timeoutOverDeadline: 1 },
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const settings = { 'timeout.requestMs': timeoutMs(model, param(params, 'timeoutOverDeadline')) };
    const under = istioModel(model, (service) => ({ settings, place: { failover: neighboursOf(model, service) } }));
    return { model: under, control: spilling(under, params) };
  },
};

function spilling(model: TwinModel, params: PolicyParams): TwinControl {
  const own = ownRegion(model);
  const threshold = param(params, 'capacityThreshold');
  const hold = holdMsByService(model);
  const spills = model.services.flatMap((service) => {
    const neighbours = neighboursOf(model, service);
    if (service.places[own] === undefined || neighbours.length === 0) return [];
    return [{ service, regions: [own, ...neighbours], perWorker: (threshold * 1000) / (hold.get(service.name) ?? 1) }];
  });
  const inForce = new Map<string, string>();
  return {
    intervalMs: param(params, 'intervalMs'),
    onTick: (view) =>
      spills.flatMap(({ service, regions, perWorker }): TwinAction[] => {
        const limits = regions.map((region) => perWorker * readyWorkers(view, service, region));
        const rps = view.observation.services.find((one) => one.service === service.name)?.rps ?? 0;
        const weights = weightsOf(regions, limits, rps);
        const text = JSON.stringify(weights);
        if (inForce.get(service.name) === text) return [];
        inForce.set(service.name, text);
        return [{ service: service.name, weights }];
      }),
  };
}

function readyWorkers(view: TwinView, service: TwinService, region: string): number {
  const { instances } = service.places[region]!;
  let workers = 0;
  for (const one of view.instances) {
    if (one.service !== service.name || one.region !== region || one.state !== 'ready') continue;
    workers += (instances[one.instance] ?? instances.at(-1))?.workers ?? 0;
  }
  return workers;
}

/** Whole percents by region. Nearer regions are filled first, each up to its rate. */
function weightsOf(regions: readonly string[], limits: readonly number[], rps: number): Record<string, number> {
  const room = limits.reduce((sum, limit) => sum + limit, 0);
  if (rps >= room) return shares(regions, limits);
  let left = rps;
  const filled = limits.map((limit) => {
    const taken = Math.min(left, limit);
    left -= taken;
    return taken;
  });
  return shares(regions, filled);
}

function shares(regions: readonly string[], parts: readonly number[]): Record<string, number> {
  return wholePercents(Object.fromEntries(regions.map((region, i) => [region, parts[i]!])));
}
