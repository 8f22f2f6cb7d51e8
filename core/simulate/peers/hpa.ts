import type { InstanceView, TwinAction, TwinControl, TwinView } from '../control.js';
import type { TwinModel } from '../model.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, ownRegion, timeoutMs } from './istioModel.js';
import { param } from '../policy.js';

/** kube-controller-manager: `--horizontal-pod-autoscaler-sync-period`. */
const SYNC_MS = 15_000;
/** `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1;
/** Default behaviour of scaling up: the larger of twice as many and four more in so long. */
const UP_PERIOD_MS = 15_000;
const UP_FACTOR = 2;
const UP_PODS = 4;

/**
 * Istio's defaults with a HorizontalPodAutoscaler of each service: the share of busy workers stands for CPU use over
 * request. Starts from the instances of the plan, and may go as far as the quota.
 */
export const hpa: TwinPolicy = {
  name: 'hpa',
  source: 'Kubernetes autoscaling/v2: algorithm details, default behaviour, readiness and missing metrics',
  grid: [
    set({}),
    set({ targetUtilisation: 0.5 }),
    set({ targetUtilisation: 0.7 }),
    set({ targetUtilisation: 0.6, countsQueue: 1 }),
    set({ targetUtilisation: 0.7, countsQueue: 1, timeoutOverDeadline: 1 }),
    set({ targetUtilisation: 0.7, countsQueue: 1, timeoutOverDeadline: 1, stabilisationMs: 60_000 }),
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const settings = { 'timeout.requestMs': timeoutMs(model, param(params, 'timeoutOverDeadline')) };
    return { model: istioModel(model, () => ({ settings })), control: scaling(model, params) };
  },
};

/** `countsQueue` 1: requests that wait count as busy workers, as where concurrency is the metric; the share may pass 1. */
function set(change: PolicyParams): PolicyParams {
  return { targetUtilisation: 0.8, countsQueue: 0, stabilisationMs: 300_000, timeoutOverDeadline: 0, ...change };
}

interface Rules {
  target: number;
  countsQueue: boolean;
  stabilisationMs: number;
}

interface Scaler {
  service: string;
  workers: number;
  most: number;
  replicas: number;
  /** Recommendations and additions, with their times. */
  recommended: { atMs: number; replicas: number }[];
  added: { atMs: number; count: number }[];
  /** Instances that were ready at the sync before: only of those is a whole interval known. */
  wasReady: ReadonlySet<number>;
}

function scaling(model: TwinModel, params: PolicyParams): TwinControl {
  const own = ownRegion(model);
  const scalers = model.services.flatMap((service): Scaler[] => {
    const place = service.places[own];
    if (place === undefined || place.instances.length === 0) return [];
    const replicas = place.instances.length;
    const ready = place.instances.flatMap(({ state }, i) => (state === 'starting' ? [] : [i]));
    const most = Math.max(replicas, place.maxInstances ?? 0);
    // What runs when the autoscaler begins counts as asked for.
    const recommended = [{ atMs: 0, replicas }];
    const { workers } = place.instances.at(-1)!;
    return [{ service: service.name, workers, most, replicas, recommended, added: [], wasReady: new Set(ready) }];
  });
  const rules: Rules = {
    target: param(params, 'targetUtilisation'),
    countsQueue: param(params, 'countsQueue') !== 0,
    stabilisationMs: param(params, 'stabilisationMs'),
  };
  return {
    intervalMs: SYNC_MS,
    onTick: (view) => scalers.flatMap((scaler) => sync(scaler, view, own, rules)),
  };
}

function sync(scaler: Scaler, view: TwinView, own: string, rules: Rules): TwinAction[] {
  const { nowMs } = view;
  const pods = view.instances.filter(
    (one) => one.service === scaler.service && one.region === own && one.instance < scaler.replicas,
  );
  const asked = recommend(scaler, pods, rules);
  scaler.wasReady = new Set(pods.filter(({ state }) => state === 'ready').map(({ instance }) => instance));
  scaler.recommended.push({ atMs: nowMs, replicas: asked });
  scaler.recommended = scaler.recommended.filter(({ atMs }) => atMs > nowMs - rules.stabilisationMs);
  // Down only as far as everything asked for in the window; up at once.
  const highest = Math.max(...scaler.recommended.map(({ replicas }) => replicas));
  const stable = asked < scaler.replicas ? Math.min(scaler.replicas, highest) : asked;
  const next = limitUp(scaler, stable, nowMs);
  if (next === scaler.replicas) return [];
  if (next > scaler.replicas) scaler.added.push({ atMs: nowMs, count: next - scaler.replicas });
  scaler.replicas = next;
  return [{ service: scaler.service, targetInstances: next }];
}

/**
 * `ceil(replicas × utilisation / target)`. Pods that are not ready count as idle when it would scale up; where that
 * turns the direction, or leaves it within the tolerance, nothing changes.
 */
function recommend(scaler: Scaler, pods: readonly InstanceView[], rules: Rules): number {
  const measured = pods.filter(({ state, instance }) => state === 'ready' && scaler.wasReady.has(instance));
  const unready = pods.length - measured.length;
  if (measured.length === 0) return scaler.replicas;
  const { target } = rules;
  const waiting = (queued: number): number => (rules.countsQueue ? queued / scaler.workers : 0);
  const busy = measured.reduce((sum, { utilisation, queued }) => sum + utilisation + waiting(queued), 0);
  const ratio = busy / measured.length / target;
  if (unready === 0 || ratio <= 1) {
    if (Math.abs(ratio - 1) <= TOLERANCE) return scaler.replicas;
    return Math.ceil(ratio * measured.length - 1e-9);
  }
  const withIdle = busy / pods.length / target;
  if (withIdle <= 1 + TOLERANCE) return scaler.replicas;
  return Math.ceil(withIdle * pods.length - 1e-9);
}

function limitUp(scaler: Scaler, wanted: number, nowMs: number): number {
  scaler.added = scaler.added.filter(({ atMs }) => atMs > nowMs - UP_PERIOD_MS);
  const before = scaler.replicas - scaler.added.reduce((sum, { count }) => sum + count, 0);
  const limit = Math.max(scaler.replicas, Math.ceil(before * UP_FACTOR), before + UP_PODS);
  return Math.max(1, Math.min(wanted, limit, scaler.most));
}
