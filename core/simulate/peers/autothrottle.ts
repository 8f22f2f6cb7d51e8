import { createRandom } from '../../forecast/random.js';
import type { TwinAction, TwinControl, TwinView } from '../control.js';
import type { TwinModel } from '../model.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { Captain } from './autothrottleCaptain.js';
import { Tower } from './autothrottleTower.js';
import type { TowerSample } from './autothrottleTower.js';
import { istioModel, ownRegion } from './istioModel.js';
import { param } from '../policy.js';

/**
 * An Autothrottle-like two-level autoscaler over Istio's defaults. The twin has no CPU quotas: what a Captain sets is
 * the number of instances, and what it holds at its target is not the share of throttled periods but the share of
 * periods at whose end an instance had requests waiting. The Tower chooses the targets of two groups of services.
 */
export const autothrottle: TwinPolicy = autothrottleFrom([]);

/**
 * The same with what Towers saw before, as the paper explores for hours first. `record` is given each sample of the
 * runs that this policy makes, in order.
 */
export function autothrottleFrom(
  samples: readonly TowerSample[],
  record: (sample: TowerSample) => void = () => undefined,
): TwinPolicy {
  return {
    name: 'autothrottle',
    source: 'Autothrottle (NSDI 2024), sections 3.2 (Captain) and 3.3 (Tower), and its artifact',
    grid: [
      set({}),
      set({ periodMs: 500, startLevel: 3 }),
      set({ periodMs: 500 }),
      set({ periodMs: 500, startLevel: 3, stepSeconds: 30 }),
      set({ startLevel: 1 }),
      set({ periodMs: 500, startLevel: 3, exploreShare: 0 }),
    ],
    create: ({ model, params, seed }: PolicyInput): PolicyRun => ({
      model: istioModel(model),
      control: steering(model, params, new Tower({ params, samples, record, random: createRandom(seed) })),
    }),
  };
}

/** `periodMs`: 100 ms in the paper, a CFS period; instances take seconds to start. `startLevel`: rung of both groups at first. */
function set(change: PolicyParams): PolicyParams {
  return { periodMs: 1000, stepSeconds: 60, exploreShare: 0.1, startLevel: 2, ...change };
}

function steering(model: TwinModel, params: PolicyParams, tower: Tower): TwinControl {
  const own = ownRegion(model);
  const captains = captainsOf(model, own);
  const first = firstGroup(captains);
  const periodMs = param(params, 'periodMs');
  const step = Math.max(1, Math.round((1000 * param(params, 'stepSeconds')) / periodMs));
  const aim = (): void => {
    for (const captain of captains) captain.target = tower.targets[first.has(captain.service) ? 0 : 1];
  };
  aim();
  return {
    intervalMs: periodMs,
    onTick: (view): readonly TwinAction[] => {
      tower.see(
        view.entries,
        captains.reduce((sum, { workersPaid }) => sum + workersPaid, 0),
      );
      if ((view.tick + 1) % step === 0) {
        tower.choose();
        aim();
      }
      return captains.flatMap((captain) => actionOf(captain, view, own));
    },
  };
}

function actionOf(captain: Captain, view: TwinView, own: string): TwinAction[] {
  const before = captain.instances;
  captain.see(view.instances.filter((one) => one.service === captain.service && one.region === own));
  return captain.instances === before ? [] : [{ service: captain.service, targetInstances: captain.instances }];
}

function captainsOf(model: TwinModel, own: string): Captain[] {
  return model.services.flatMap((service): Captain[] => {
    const place = service.places[own];
    const workers = place?.instances.at(-1)?.workers;
    if (place === undefined || workers === undefined) return [];
    const most = Math.max(place.instances.length, place.maxInstances ?? 0);
    return [new Captain({ service: service.name, workers, most, instances: place.instances.length })];
  });
}

/** Services by size in two groups, as the paper's k-means of CPU use has it: the split of least squares within. */
function firstGroup(captains: readonly Captain[]): ReadonlySet<string> {
  const sorted = [...captains].sort((a, b) => b.workersPaid - a.workersPaid);
  const sizes = sorted.map(({ workersPaid }) => workersPaid);
  let best = { count: sizes.length, squares: Infinity };
  for (let count = 1; count < sizes.length; count++) {
    const squares = spread(sizes.slice(0, count)) + spread(sizes.slice(count));
    if (squares < best.squares) best = { count, squares };
  }
  return new Set(sorted.slice(0, best.count).map(({ service }) => service));
}

function spread(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
