import type { AdmissionFactory, EntryView, TwinControl } from '../control.js';
import type { TwinModel } from '../model.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from '../policy.js';
import { istioModel, ownRegion, timeoutMs } from './istioModel.js';
import { param } from '../policy.js';
import { Clusters } from './topfullClusters.js';
import { RateGate } from './topfullGate.js';

const TICK_MS = 1000;

/**
 * TopFull with its MIMD controller (`deploy_mimd`): the rate of each API (entry route) is limited where users enter,
 * and nothing else is. Every second a cluster of APIs that share overloaded services is lowered by a share of its rate
 * while the p95 of one of them is beyond its deadline, else raised. Business priority is by the value of a request.
 */
export const topfullMimd: TwinPolicy = {
  name: 'topfull-mimd',
  source: 'TopFull (SIGCOMM 2024), section 4 and its artifact: MIMD −5 %/+1 % a second, overload above 80 %',
  grid: [
    set({}),
    set({ decreaseShare: 0.1, increaseShare: 0.02 }),
    set({ decreaseShare: 0.1, increaseShare: 0.05, latencyShare: 0.7 }),
    set({ decreaseShare: 0.2, increaseShare: 0.05, latencyShare: 0.7 }),
    set({ decreaseShare: 0.2, increaseShare: 0.1, latencyShare: 0.5 }),
    set({ decreaseShare: 0.2, increaseShare: 0.1, latencyShare: 0.5, timeoutOverDeadline: 1 }),
  ],
  create: ({ model, params }: PolicyInput): PolicyRun => {
    const settings = { 'timeout.requestMs': timeoutMs(model, param(params, 'timeoutOverDeadline')) };
    const gate = new RateGate(model.entries.length);
    return {
      model: istioModel(model, () => ({ settings })),
      control: controlling(model, params, gate),
      admission: atEntries(model, gate),
    };
  },
};

/** `latencyShare`: of the deadline, what p95 may be before rates are lowered; the artifact's 1 s is its SLO. */
function set(change: PolicyParams): PolicyParams {
  return {
    decreaseShare: 0.05,
    increaseShare: 0.01,
    overloadedAbove: 0.8,
    latencyShare: 1,
    timeoutOverDeadline: 0,
    ...change,
  };
}

/** One gate for all proxies of our region, as the artifact has one proxy at the entry. */
function atEntries(model: TwinModel, gate: RateGate): AdmissionFactory {
  const own = ownRegion(model);
  return ({ side, region }) => {
    if (side !== 'entry' || region !== own) return undefined;
    return { onRequest: ({ entry, nowMs }) => gate.take(entry, nowMs), onResponse: () => undefined };
  };
}

function controlling(model: TwinModel, params: PolicyParams, gate: RateGate): TwinControl {
  const overloadedAbove = param(params, 'overloadedAbove');
  const clusters = new Clusters(model, gate, {
    decreaseShare: param(params, 'decreaseShare'),
    increaseShare: param(params, 'increaseShare'),
  });
  return {
    intervalMs: TICK_MS,
    onTick: ({ observation, entries, tick }) => {
      gate.count(entries.map(({ offered }) => offered));
      const overloaded = observation.services.filter(({ saturation }) => (saturation.cpu ?? 0) > overloadedAbove);
      const names = new Set(overloaded.map(({ service }) => service));
      const apis = entries.map((entry, i) =>
        stateOf(entry, model.entries[i]!.deadlineMs, param(params, 'latencyShare')),
      );
      clusters.step(apis, names);
      // Agents act every second, the detector looks every other one.
      if (tick % 2 === 1) clusters.detect(names);
      return [];
    },
  };
}

/** What an agent sees of an API over the last second. */
export interface ApiState {
  /** At most a tenth failed, was late or was refused. */
  mostlyGood: boolean;
  late: boolean;
}

function stateOf({ offered, withinDeadline, p95Ms }: EntryView, deadlineMs: number, latencyShare: number): ApiState {
  const late = p95Ms === null ? offered > 0 && withinDeadline === 0 : p95Ms > latencyShare * deadlineMs;
  return { mostlyGood: offered - withinDeadline <= 0.1 * offered, late };
}
