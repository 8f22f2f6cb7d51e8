import type { Observation, ServiceObservation } from '../../spec/observation.js';
import type { ServiceResult, TwinSlice } from '../result.js';
import { Histogram } from './histogram.js';
import { placesOf } from './measure.js';
import type { Place } from './place.js';
import type { World } from './world.js';

/** Time 0 of a run, as an observation says it. */
const EPOCH_MS = 0;

/** The interval as the region's proxies would have told it; all of them, at once. */
export function observe(world: World, between: TwinSlice, intervalMs: number): Observation {
  const own = placesOf(world).filter((place) => place.regionNumber === 0);
  const { name, proxies } = world.regions[0]!;
  return {
    region: name,
    at: new Date(EPOCH_MS + world.now).toISOString(),
    proxies,
    completeness: 1,
    ageSeconds: 0,
    maxAgeSeconds: null,
    services: own.map((place) => {
      const result = between.services.find((one) => one.service === place.service && one.region === name)!;
      return serviceObservation(world, place, result, intervalMs);
    }),
    contradictions: [],
    problems: [],
  };
}

function serviceObservation(world: World, place: Place, result: ServiceResult, intervalMs: number): ServiceObservation {
  const { refused, latency } = result;
  const windowSeconds = intervalMs / 1000;
  const errors = {
    upstream5xx: result.failed + refused.queueFull + refused.inbound + refused.inboundRetry,
    breaker: refused.breaker + refused.noHealthyHost,
    rateLimited: refused.rateLimit + refused.controller,
    timeout: result.timedOut,
    connect: 0,
  };
  const bad = errors.upstream5xx + errors.breaker + errors.timeout;
  const answered = result.succeeded + bad;
  const ready = place.instances.filter((instance) => instance.state === 'ready').length;
  const workers = place.instances.reduce((sum, one) => sum + (one.state === 'ready' ? one.workers : 0), 0);
  const inFlight = place.instances.reduce((sum, one) => sum + one.busy + one.queued, 0);
  return {
    service: place.service,
    windowSeconds,
    requests: result.offered,
    rps: result.offered / windowSeconds,
    errorRate: answered > 0 ? bad / answered : null,
    errors,
    p50Ms: latency.p50Ms,
    p50ErrorMs: widthAt(latency.p50Ms),
    p90Ms: latency.p90Ms,
    p90ErrorMs: widthAt(latency.p90Ms),
    p99Ms: latency.p99Ms,
    p99ErrorMs: widthAt(latency.p99Ms),
    active: result.inFlight,
    retries: result.retries,
    ...readyBounds(place, ready),
    saturation: { busy: workers > 0 ? inFlight / workers : null, cpu: result.utilisation },
    cpuCores: null,
    memoryMiB: null,
    shareByRegion: shares(world, place, result),
    forecast: null,
    completeness: 1,
    ageSeconds: 0,
  };
}

/** As health checks show it to the proxy that sees the fewest, and the most. */
function readyBounds(place: Place, ready: number): { readyInstances: number; readyInstancesMost: number } {
  const seen = place.views.map((view) => {
    return place.instances.filter(({ index }) => index < place.targetInstances && view.failsHealth[index] === 0).length;
  });
  if (seen.length === 0) return { readyInstances: ready, readyInstancesMost: ready };
  return { readyInstances: Math.min(...seen), readyInstancesMost: Math.max(...seen) };
}

/** Only how many attempts left the region is counted; to which neighbour, weights say. */
function shares(world: World, place: Place, result: ServiceResult): Record<string, number> {
  const attempts = result.admitted + result.retries;
  const away = attempts > 0 ? Math.min(1, result.egress / attempts) : 0;
  const weights = place.gateways.map((region) => place.weights[region]!);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const others = place.gateways.map((region, i): [string, number] => {
    const part = sum > 0 ? weights[i]! / sum : 1 / place.gateways.length;
    return [world.regions[region]!.name, away * part];
  });
  return Object.fromEntries([[place.region, 1 - away], ...others]);
}

function widthAt(ms: number | null): number | null {
  return ms === null ? null : Histogram.width(ms);
}
