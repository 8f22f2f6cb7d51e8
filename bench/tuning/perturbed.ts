import { createRandom } from '../../core/forecast/random.js';
import type { TwinCall, TwinModel, TwinService } from '../../core/simulate/model.js';

/**
 * A twin that is wrong about the region: each service's time by up to ±30 %, each edge's calls by up to ±20 %. What
 * policies are trained in.
 */
export function perturbed(model: TwinModel, seed: number): TwinModel {
  const random = createRandom(seed);
  const within = (share: number): number => 1 + share * (2 * random() - 1);
  return {
    ...model,
    services: model.services.map((service) => {
      const time = scaledTime(service.time, within(0.3));
      const factors = new Map<string, number>();
      const callFactor = (callee: string): number => {
        const known = factors.get(callee) ?? within(0.2);
        factors.set(callee, known);
        return known;
      };
      const stages = service.stages.map((stage) => stage.map((call) => scaledCall(call, callFactor(call.service))));
      return { ...service, time, stages };
    }),
  };
}

function scaledCall(call: TwinCall, factor: number): TwinCall {
  const byEntry = Object.entries(call.byEntry ?? {}).map(([entry, calls]) => [entry, calls * factor] as const);
  return {
    ...call,
    callsPerRequest: call.callsPerRequest * factor,
    ...(byEntry.length > 0 ? { byEntry: Object.fromEntries(byEntry) } : {}),
  };
}

function scaledTime(time: TwinService['time'], factor: number): TwinService['time'] {
  if (time.kind === 'quantiles') return { ...time, timesMs: time.timesMs.map((ms) => ms * factor) };
  return { ...time, meanMs: time.meanMs * factor };
}
