import type { Problem } from '../spec/problem.js';
import { FEWEST_SLOTS, littlesLaw } from './limits.js';
import { liveCapacity } from './liveCapacity.js';
import type { LintInput } from './lintProblem.js';
import { isAdjusted, isOverridden, problem } from './lintProblem.js';
import { networkMs } from './timeouts.js';
import { oneDecimal } from '../spec/oneDecimal.js';

const CLIENT_FIELDS = ['breaker.maxRequests', 'breaker.maxConnections'] as const;

/** MESH003, MESH004, MESH014, MESH018 */
export function lintLimits(input: LintInput): Problem[] {
  return [...lintClientLimits(input), ...lintInboundLimit(input)];
}

function lintClientLimits({ live, spec, planned, region, inbound, readyInstances }: LintInput): Problem[] {
  const intent = readyInstances === undefined ? {} : { readyInstances };
  const capacity = liveCapacity(
    { region, spec, planned, intent, inbound, endpoints: live.endpoints.length },
    live.weights,
  );
  const proxies = region.delivery.hosts.length;
  const problems: Problem[] = [];
  // What somebody moved on purpose may be lower: the instances may serve less than the region file says.
  if (!isOverridden(live, 'rateLimit.rps') && !isAdjusted(live, 'rateLimit.rps')) {
    const total = live.settings['rateLimit.rps'] * proxies;
    if (total < capacity.letIn.rps * (1 - 1e-9)) {
      const served = `${oneDecimal(capacity.letIn.rps)} rps that can be served`;
      problems.push(problem('MESH003', live, 'rateLimit.rps', `${proxies} proxies admit ${total} rps of ${served}`));
    }
  }
  const rttMs = networkMs(live.weights, region.neighbours);
  const proxyRps = Math.min(capacity.admissibleRps / proxies, live.settings['rateLimit.rps']);
  const floor = Math.max(1, littlesLaw(proxyRps, spec.capacity.serviceTimeMs + rttMs));
  for (const field of CLIENT_FIELDS) {
    const value = live.settings[field];
    if (isOverridden(live, field)) continue;
    if (value < FEWEST_SLOTS) {
      const message = `is ${value}: so few slots at each of ${proxies} proxies refuse by chance`;
      problems.push(problem('MESH018', live, field, message, `${Math.max(floor, FEWEST_SLOTS)} or more`));
    } else if (value < floor) {
      const needs = `${Math.round(proxyRps)} rps keep ${floor} in flight`;
      problems.push(problem('MESH004', live, field, `is ${value}, but ${needs}`, `${floor} or more`));
    }
  }
  return problems;
}

function lintInboundLimit({ live, spec, planned }: LintInput): Problem[] {
  const field = 'inbound.maxRequests';
  const value = live.settings[field];
  const { concurrency, serviceTimeMs } = spec.capacity;
  const busy = littlesLaw(planned.perInstanceRps, serviceTimeMs);
  const floor = Math.max(concurrency, busy);
  if (value >= floor || isOverridden(live, field)) return [];
  const needs = `an instance works on ${concurrency} at a time and its planned rate keeps ${busy} in flight`;
  return [problem('MESH014', live, field, `is ${value}, but ${needs}`, `${floor} or more`)];
}
