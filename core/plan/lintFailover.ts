import type { LiveMesh } from '../spec/live.js';
import type { ServicePlan } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { problem } from './lintProblem.js';
import { callersFirst } from './paths.js';
import { oneDecimal } from '../spec/oneDecimal.js';

/** Weights are whole percents: what goes somewhere may be this part more than was reckoned. */
const ROUNDING = 0.03;

/** MESH012: a proxy takes for granted that who stands by can take all that comes over, and does not ask whether. */
export function lintFailover(live: LiveMesh, region: RegionSpec, planned: ReadonlyMap<string, ServicePlan>): Problem[] {
  const arriving = arrivingRps(live, region, planned);
  return live.services.flatMap((service): Problem[] => {
    const own = planned.get(service.service);
    if (own === undefined || service.failover === undefined) return [];
    const rps = arriving.get(service.service) ?? own.demand.rps;
    const proven = new Map((own.failover ?? []).map((one) => [one.region, one.spareRps]));
    const stated = new Map(region.neighbours.map((one) => [one.name, one.spareRps[service.service] ?? 0]));
    const share = (name: string): number => (rps * (service.weights[name] ?? 0)) / 100;
    const localRps = Math.min(share(region.name), own.instances.value * own.perInstanceRps);
    return service.failover.flatMap((name): Problem[] => {
      const spareRps = Math.min(proven.get(name) ?? 0, stated.get(name) ?? 0) - share(name);
      const known = proven.has(name) && stated.has(name);
      if (known && spareRps >= localRps * (1 - ROUNDING)) return [];
      const message = `${name} stands by for ${oneDecimal(localRps)} rps and has ${oneDecimal(Math.max(0, spareRps))} rps to spare`;
      const fit = 'only regions with proven room for all that may come over';
      return [problem('MESH012', service, 'failover', message, fit)];
    });
  });
}

/**
 * Of the demand that a service was planned with, what comes to the proxies here: requests that are refused at the edge
 * or answered in another region make their further calls nowhere, or there. Services that call each other in a circle
 * share what comes into the circle.
 */
function arrivingRps(
  live: LiveMesh,
  region: RegionSpec,
  planned: ReadonlyMap<string, ServicePlan>,
): ReadonlyMap<string, number> {
  const services = new Map(live.services.map((service) => [service.service, service]));
  const calls = Object.fromEntries([...planned].map(([name, plan]) => [name, plan.calls ?? {}]));
  const asked = new Map<string, { rps: number; arrivingRps: number }>();
  const shares = new Map<string, number>();
  for (const circle of callersFirst(calls)) {
    let [rps, arriving] = [0, 0];
    for (const name of circle) {
      const plan = planned.get(name);
      const called = asked.get(name) ?? { rps: 0, arrivingRps: 0 };
      const outsideRps = Math.max(0, (plan?.demand.rps ?? 0) - called.rps);
      rps += called.rps + outsideRps;
      arriving += called.arrivingRps + outsideRps * (plan?.admission?.value ?? 1);
    }
    const share = rps > 0 ? arriving / rps : 1;
    for (const name of circle) {
      shares.set(name, share);
      const demandRps = planned.get(name)?.demand.rps ?? 0;
      const local = (services.get(name)?.weights[region.name] ?? 0) / 100;
      for (const [callee, callsPerRequest] of Object.entries(calls[name] ?? {})) {
        const before = asked.get(callee) ?? { rps: 0, arrivingRps: 0 };
        const more = demandRps * callsPerRequest;
        asked.set(callee, { rps: before.rps + more, arrivingRps: before.arrivingRps + more * share * local });
      }
    }
  }
  return new Map([...planned].map(([name, plan]) => [name, plan.demand.rps * (shares.get(name) ?? 1)]));
}
