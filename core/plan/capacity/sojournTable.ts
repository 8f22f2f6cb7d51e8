import { serviceTimeCvOf } from './capacityCurve.js';
import type { ServiceQueues } from './capacityCurve.js';
import type { QuantileTable } from './pathLatency.js';
import { sojournOf, sojournQuantile } from './sojourn.js';

const LEVELS = [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

/** Sojourn times of a service with so many instances at this demand, for `pathLatency`; undefined where overloaded. */
export function sojournTable(queues: ServiceQueues, instances: number, demandRps: number): QuantileTable | undefined {
  const { policy, concurrency, serviceTimeMs, arrivalCv2 = 1 } = queues;
  const utilisation = (Math.max(0, demandRps) * serviceTimeMs) / (1000 * concurrency * instances);
  const proxies = Math.max(1, queues.clientProxies);
  const sojourn = sojournOf({
    policy,
    instances,
    concurrency,
    proxies,
    serviceTimeCv: serviceTimeCvOf(queues),
    arrivalCv2,
  });
  if (!(utilisation * sojourn.fullest < 1)) return undefined;
  return {
    levels: LEVELS,
    timesMs: LEVELS.map((level) => sojournQuantile(sojourn, utilisation, level) * serviceTimeMs),
  };
}
