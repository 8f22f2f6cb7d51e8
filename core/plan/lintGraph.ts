import type { LiveMesh, LiveService } from '../spec/live.js';
import type { ServicePlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { ServiceSpec } from '../spec/region.js';
import { SETTING_FIELDS } from '../spec/settings.js';
import { isBehindInbound } from './inbound.js';
import type { InboundIndex } from './inbound.js';
import { isOverridden, problem } from './lintProblem.js';
import { circleNumbers, foldPaths } from './paths.js';
import type { Calls } from './paths.js';
import { MAX_AMPLIFICATION } from './retries.js';

/** No caller can be told to wait longer than its callee where both may take this long. */
const LONGEST_MS = SETTING_FIELDS['timeout.requestMs'].max;

export interface GraphLintInput {
  live: LiveMesh;
  planned: ReadonlyMap<string, ServicePlan>;
  specs: ReadonlyMap<string, ServiceSpec>;
  inbound: InboundIndex;
}

/** MESH006, MESH007, MESH015, MESH022: what only shows along the calls. Linear in services and calls. */
export function lintGraph(input: GraphLintInput): Problem[] {
  const { live, planned } = input;
  const calls: Calls = Object.fromEntries(
    live.services.map(({ service }) => [service, planned.get(service)?.calls ?? {}]),
  );
  return [...lintTimeouts(live, calls), ...lintRetries(input, calls), ...lintRepeats(input)];
}

function lintTimeouts(live: LiveMesh, calls: Calls): Problem[] {
  const services = new Map(live.services.map((service) => [service.service, service]));
  const circles = circleNumbers(calls);
  const field = 'timeout.requestMs';
  return Object.entries(calls).flatMap(([name, callees]) =>
    Object.keys(callees).flatMap((callee): Problem[] => {
      const [above, below] = [services.get(name), services.get(callee)];
      // Of services that call each other in a circle none can wait longer than all that it calls.
      if (above === undefined || below === undefined || circles.get(name) === circles.get(callee)) return [];
      if (below.settings[field] < above.settings[field] || above.settings[field] === LONGEST_MS) return [];
      if (isOverridden(above, field) || isOverridden(below, field)) return [];
      const message = `${below.settings[field]} ms are not less than the ${above.settings[field]} ms of its caller ${name}`;
      return [problem('MESH007', below, field, message)];
    }),
  );
}

function lintRetries({ live, planned, specs, inbound }: GraphLintInput, calls: Calls): Problem[] {
  const services = new Map(live.services.map((service) => [service.service, service]));
  const caps = (name: string): boolean => {
    const spec = specs.get(name);
    return spec !== undefined && isBehindInbound(spec, inbound);
  };
  const along = (factor: (name: string, service: LiveService) => number): Record<string, number> =>
    foldPaths(calls, (name, below) => {
      const service = services.get(name);
      return (service === undefined ? 1 : factor(name, service)) * Math.max(1, ...below);
    });
  const budgeted = along((name, service) => {
    const capped = caps(name) ? service.settings['inbound.retryRps'] / (planned.get(name)?.perInstanceRps ?? 1) : 1;
    return retryFactor(service, capped);
  });
  const unbounded = along((name, service) => {
    const isBounded = service.idempotent !== true || caps(name) || isOverridden(service, 'retry.maxPerRequest');
    return isBounded ? 1 : 1 + service.settings['retry.maxPerRequest'];
  });
  const called = new Set(Object.values(calls).flatMap((callees) => Object.keys(callees)));
  return live.services.flatMap((service): Problem[] => {
    const name = service.service;
    if (called.has(name)) return [];
    const found: Problem[] = [];
    const check = (code: string, field: string, factor: number, what: string): void => {
      if (factor <= MAX_AMPLIFICATION + 1e-9) return;
      const message = `${what} may multiply requests by ${factor.toFixed(2)} along the calls below it`;
      found.push(problem(code, service, field, message, `at most ${MAX_AMPLIFICATION}`));
    };
    check('MESH006', 'retry.budgetPercent', budgeted[name] ?? 1, 'retries');
    check('MESH015', 'retry.maxPerRequest', unbounded[name] ?? 1, 'retries after any failure that no callee caps');
    return found;
  });
}

/** What a person overrode counts as nothing: it is no mistake of the plan. */
function retryFactor(service: LiveService, capped: number): number {
  if (isOverridden(service, 'retry.budgetPercent')) return 1;
  const { settings } = service;
  return 1 + Math.min(settings['retry.maxPerRequest'], settings['retry.budgetPercent'] / 100, capped);
}

function lintRepeats({ live, specs }: GraphLintInput): Problem[] {
  return live.services.flatMap((service): Problem[] => {
    if (service.idempotent !== true || specs.get(service.service)?.idempotent === true) return [];
    const message = 'requests are repeated whatever they failed with, and nothing says that this does no harm';
    return [problem('MESH022', service, 'retry.maxPerRequest', message, 'idempotent: true in the region file')];
  });
}
