import type { LbPolicy } from '../../spec/settings.js';
import { serviceTimeQuantile } from './serviceTimes.js';
import { highestUtilisation, sojournOf, sojournQuantile, workOf } from './sojourn.js';
import type { ServiceWork } from './sojourn.js';

/** A service as queues: what one instance can do, what is asked of it, and how requests reach it. */
export interface ServiceQueues {
  policy: LbPolicy;
  /** Proxies that balance over the instances without knowing of each other. */
  clientProxies: number;
  /** Requests that one instance works on at the same time. */
  concurrency: number;
  serviceTimeMs: number;
  /** Standard deviation of the service time over its mean; absent: `assumedServiceTimeCv`. */
  serviceTimeCv?: number;
  /** Squared coefficient of variation of the times between arrivals; absent: 1, Poisson. */
  arrivalCv2?: number;
  sloP99Ms: number;
  /** No instance is planned busier, 0–1; absent: 0.8. */
  maxUtilisation?: number;
  /** CPU that one request takes and cores of an instance; `maxUtilisation` holds for them too. */
  cpu?: { msPerRequest: number; coresPerInstance: number };
  memory?: { mibPerRequest: number; mibPerInstance: number; idleMib?: number };
}

/** What keeps an instance from taking more. */
export type InstanceBinding = 'slo' | 'utilisation' | 'cpu' | 'memory';

export interface CapacityCurve {
  queues: ServiceQueues;
  /** rps that so many instances take within the SLO and every other limit. More instances never take less. */
  capacityRps(instances: number): number;
  /** What keeps each of so many instances from taking more. */
  binding(instances: number): InstanceBinding;
  /** Estimated p99 of so many instances at this demand; Infinity where an instance is overloaded. */
  p99Ms(instances: number, demandRps: number): number;
}

export const DEFAULT_MAX_UTILISATION = 0.8;
/** Of the SLO, at most this much is assumed to be the p99 of service alone; the rest is left for waiting. */
const SERVICE_SHARE = 0.8;
/** Between these the capacity is straight; beyond the last, each instance takes the same. */
const KNOTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256, 512, 1024];
/** With the first and last count of each number of points that Envoy's ring of 1,024 gives an instance. */
const RING_KNOTS = [
  1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 52, 64, 78, 79, 85, 86, 93, 94, 102, 103, 113, 114, 127, 128, 146,
  147, 170, 171, 204, 205, 255, 256, 300, 341, 342, 420, 511, 512, 640, 800, 1023, 1024, 1280, 1600, 2000, 2500, 3200,
  4096,
];
/** Requests in flight stay below their mean by this many of its square roots but for one in a thousand moments. */
const IN_FLIGHT_SPREAD = 3.1;

/** The largest CV up to 1 at which the p99 of service takes no more than 0.8 of the SLO. */
export function assumedServiceTimeCv(serviceTimeMs: number, sloP99Ms: number): number {
  const room = (SERVICE_SHARE * sloP99Ms) / serviceTimeMs;
  if (serviceTimeQuantile(1, 0.99) <= room) return 1;
  if (room <= 1) return 0;
  let [low, high] = [0, 1];
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (serviceTimeQuantile(middle, 0.99) <= room) low = middle;
    else high = middle;
  }
  return low;
}

export function serviceTimeCvOf({ serviceTimeCv, serviceTimeMs, sloP99Ms }: ServiceQueues): number {
  return serviceTimeCv ?? assumedServiceTimeCv(serviceTimeMs, sloP99Ms);
}

interface Point {
  /** Of all instances together. */
  rps: number;
  binding: InstanceBinding;
}

/**
 * Capacity by number of instances. Points are worked out when they are first asked for and kept: make one curve for a
 * service and ask it for every window.
 */
export function capacityCurve(queues: ServiceQueues): CapacityCurve {
  const serviceTimeCv = serviceTimeCvOf(queues);
  const queuesWithCv = { ...queues, serviceTimeCv, work: workOf(serviceTimeCv, queues.concurrency) };
  const points: Point[] = [];
  const knots = queues.policy === 'RING_HASH' ? RING_KNOTS : KNOTS;
  const pointAt = (knot: number): Point => {
    for (let i = points.length; i <= knot; i++) {
      const found = pointOf(queuesWithCv, knots[i] ?? 1);
      const before = points[i - 1];
      points.push(before === undefined || found.rps >= before.rps ? found : { ...found, rps: before.rps });
    }
    return points[knot] ?? { rps: 0, binding: 'slo' };
  };
  const last = knots.length - 1;
  return {
    queues,
    capacityRps(instances) {
      if (instances <= 0) return 0;
      const above = knots.findIndex((knot) => knot >= instances);
      if (above < 0) return (pointAt(last).rps * instances) / (knots[last] ?? 1);
      const { rps } = pointAt(above);
      const [from, to] = [knots[above - 1] ?? 0, knots[above] ?? 1];
      const below = above === 0 ? 0 : pointAt(above - 1).rps;
      return below + ((rps - below) * (instances - from)) / (to - from);
    },
    binding(instances) {
      const above = knots.findIndex((knot) => knot >= instances);
      return pointAt(above < 0 ? last : above).binding;
    },
    p99Ms: (instances, demandRps) => p99Of(queuesWithCv, instances, demandRps),
  };
}

type WithCv = ServiceQueues & { serviceTimeCv: number; work: ServiceWork };

function settingOf(queues: WithCv, instances: number): Parameters<typeof sojournOf>[0] {
  const { policy, clientProxies, concurrency, serviceTimeCv, arrivalCv2 = 1 } = queues;
  return { policy, instances, concurrency, proxies: Math.max(1, clientProxies), serviceTimeCv, arrivalCv2 };
}

function pointOf(queues: WithCv, instances: number): Point {
  const { concurrency, serviceTimeMs, sloP99Ms, cpu, memory } = queues;
  const { maxUtilisation = DEFAULT_MAX_UTILISATION } = queues;
  const sojourn = sojournOf(settingOf(queues, instances), queues.work);
  const busyRps = (concurrency * 1000) / serviceTimeMs;
  const limits: [InstanceBinding, number][] = [['utilisation', maxUtilisation * busyRps]];
  if (cpu !== undefined && cpu.msPerRequest > 0) {
    limits.push(['cpu', (maxUtilisation * cpu.coresPerInstance * 1000) / cpu.msPerRequest]);
  }
  if (memory !== undefined && memory.mibPerRequest > 0) limits.push(['memory', memoryRps(memory, sloP99Ms)]);
  const [binding, most] = limits.reduce((least, one) => (one[1] < least[1] ? one : least));
  // Limits hold for the fullest instance; queues are only looked at up to them.
  const top = Math.min(0.999, most / busyRps) / sojourn.fullest;
  const slo = highestUtilisation(sojourn, sloP99Ms / serviceTimeMs, top);
  return { rps: instances * busyRps * slo, binding: slo < top ? 'slo' : binding };
}

/** Little's law with the SLO for the time in the instance: n + 3.1 √n in flight fit into the memory that is left. */
function memoryRps(memory: NonNullable<ServiceQueues['memory']>, sloP99Ms: number): number {
  const room = Math.max(0, memory.mibPerInstance - (memory.idleMib ?? 0)) / memory.mibPerRequest;
  const root = (Math.sqrt(IN_FLIGHT_SPREAD ** 2 + 4 * room) - IN_FLIGHT_SPREAD) / 2;
  return (root * root * 1000) / sloP99Ms;
}

function p99Of(queues: WithCv, instances: number, demandRps: number): number {
  const { concurrency, serviceTimeMs } = queues;
  const utilisation = (Math.max(0, demandRps) * serviceTimeMs) / (1000 * concurrency * instances);
  return sojournQuantile(sojournOf(settingOf(queues, instances), queues.work), utilisation) * serviceTimeMs;
}
