import { ok, refused } from '../../spec/problem.js';
import type { Problem, Result } from '../../spec/problem.js';
import { capacityCurve, serviceTimeCvOf } from './capacityCurve.js';
import type { CapacityCurve, InstanceBinding, ServiceQueues } from './capacityCurve.js';
import { instanceReason } from './reason.js';
import { serviceTimeQuantile } from './serviceTimes.js';

export type Survive = 'none' | 'instance' | 'zone';

export interface InstanceQuestion extends ServiceQueues {
  demandRps: number;
  minInstances: number;
  /** Endpoints or quota. */
  maxInstances: number;
  /** What may be lost without breaking the SLO; absent: none. */
  survive?: Survive;
  /** Zone of each endpoint, in the order in which they are filled; needed to survive the loss of a zone. */
  zones?: readonly string[];
}

export type CountBinding = InstanceBinding | 'minInstances' | 'endpoints' | 'zoneLoss' | 'instanceLoss';

export interface InstanceAnswer {
  count: number;
  /** What the number came from; `endpoints`: more would be needed than there are addresses. */
  binding: CountBinding;
  /** What keeps one instance from taking more. */
  perInstanceBinding: InstanceBinding;
  reason: string;
  /** rps that the count cannot take; 0 unless `endpoints` binds. */
  shortfallRps: number;
  /** rps that could not be taken once what `survive` names is lost. */
  shortfallOnLossRps: number;
  /** What one instance takes within every limit at this count. */
  perInstanceRps: number;
  /** Estimated, at the demand that the count can take. */
  p99Ms: number;
  /** Of the workers, mean over the instances, at the demand that the count can take. */
  utilisation: number;
}

/**
 * The smallest number of instances that takes the demand within the p99 SLO and the limits of utilisation, CPU and
 * memory, also after the loss that it must survive. More demand or a tighter SLO never gives fewer. Refused where the
 * service alone takes longer than the SLO, or zones are not known. `curve`: made once by `capacityCurve` for all
 * windows of a service.
 */
export function instancesFor(
  question: InstanceQuestion,
  curve: CapacityCurve = capacityCurve(question),
): Result<InstanceAnswer> {
  const problems = problemsOf(question, curve);
  if (problems.length > 0) return refused(problems);
  const { demandRps, maxInstances, survive = 'none' } = question;
  const left = survivors(question);
  const carries = (count: number): boolean => takes(curve, count, demandRps);
  const plain = smallest(maxInstances, carries);
  const safe = survive === 'none' ? plain : smallest(maxInstances, (count) => carries(left(count)));
  const least = Math.min(question.minInstances, maxInstances);
  const count = Math.max(least, Math.min(maxInstances, safe));
  const limit = plain > 1 ? curve.binding(plain - 1) : curve.binding(1);
  const binding = bindingOf({ plain, safe, least, maxInstances, limit, survive });
  const capacity = curve.capacityRps(count);
  const served = Math.min(Math.max(0, demandRps), capacity);
  const answer = {
    count,
    binding,
    perInstanceBinding: limit,
    shortfallRps: shortfall(demandRps, capacity),
    shortfallOnLossRps: survive === 'none' ? 0 : shortfall(demandRps, curve.capacityRps(left(count))),
    perInstanceRps: perInstance(curve, count),
    p99Ms: count === 0 ? 0 : curve.p99Ms(count, served),
    utilisation: count === 0 ? 0 : (served * question.serviceTimeMs) / (1000 * question.concurrency * count),
  };
  return ok({ ...answer, reason: instanceReason(question, answer, left(count)) });
}

/** The largest demand that so many instances take within the SLO and every limit, e.g. those that are ready. */
export function capacityRps(
  queues: ServiceQueues,
  instances: number,
  curve: CapacityCurve = capacityCurve(queues),
): number {
  return curve.capacityRps(instances);
}

function perInstance(curve: CapacityCurve, count: number): number {
  return count === 0 ? curve.capacityRps(1) : curve.capacityRps(count) / count;
}

/** The allowance keeps 400 rps over 100 rps at 4 where the product comes out as 399.9999999. */
function takes(curve: CapacityCurve, count: number, demandRps: number): boolean {
  return demandRps <= 0 || curve.capacityRps(count) >= demandRps * (1 - 1e-9);
}

function shortfall(demandRps: number, capacity: number): number {
  return demandRps * (1 - 1e-9) <= capacity ? 0 : demandRps - capacity;
}

/** The smallest count that holds, doubling then halving; one more than `most` where none up to it does. */
function smallest(most: number, holds: (count: number) => boolean): number {
  if (holds(0)) return 0;
  let low = 0;
  let high = 1;
  while (high <= most && !holds(high)) [low, high] = [high, high * 2];
  high = Math.min(high, most + 1);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** How many of the first n instances are left when the loss is as bad as it can be. */
function survivors({ survive = 'none', zones = [] }: InstanceQuestion): (count: number) => number {
  if (survive === 'none') return (count) => count;
  if (survive === 'instance') return (count) => Math.max(0, count - 1);
  const inZone = new Map<string, number>();
  const largest = [0];
  for (const zone of zones) {
    const size = (inZone.get(zone) ?? 0) + 1;
    inZone.set(zone, size);
    largest.push(Math.max(largest.at(-1) ?? 0, size));
  }
  return (count) => Math.max(0, count - (largest[count] ?? count));
}

interface Counts {
  plain: number;
  safe: number;
  least: number;
  maxInstances: number;
  limit: InstanceBinding;
  survive: Survive;
}

function bindingOf({ plain, safe, least, maxInstances, limit, survive }: Counts): CountBinding {
  if (safe > maxInstances) return 'endpoints';
  if (safe <= least) return 'minInstances';
  if (safe === plain) return limit;
  return survive === 'zone' ? 'zoneLoss' : 'instanceLoss';
}

function problemsOf(question: InstanceQuestion, curve: CapacityCurve): Problem[] {
  const problems: Problem[] = [];
  const { sloP99Ms, serviceTimeMs, survive, zones, maxInstances } = question;
  if (curve.capacityRps(1) <= 0) {
    const p99 = round(serviceTimeQuantile(serviceTimeCvOf(question), 0.99) * serviceTimeMs);
    problems.push({
      code: 'slo-below-service-time',
      field: 'slo.p99Ms',
      message: `${sloP99Ms} ms leaves no time to wait: the service alone has a p99 of ${p99} ms (mean ${serviceTimeMs} ms, CV ${round(serviceTimeCvOf(question))}), so no number of instances meets it`,
      expected: `more than ${p99}`,
      fix: 'raise slo.p99Ms, or correct capacity.serviceTimeMs or capacity.serviceTimeCv',
    });
  }
  if (survive === 'zone' && (zones?.length ?? 0) < maxInstances) {
    problems.push({
      code: 'zones-unknown',
      field: 'endpoints',
      message: `the zones of ${maxInstances - (zones?.length ?? 0)} of ${maxInstances} endpoints are not known, but the loss of a zone is to be survived`,
      fix: 'name the zone of each endpoint, or survive less',
    });
  }
  return problems;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
