import type { PlannedService } from '../../tuning/bandit/coefficients.js';
import { meanOf } from '../engine/workTime.js';
import type { TwinDemand, TwinModel, TwinPlace, TwinService } from '../model.js';

/** What the tuner knows of a region from its model: the plan's view of it, which a twin that is wrong does not share. */
export interface Knowledge {
  own: string;
  model: TwinModel;
  /** Of our own region, in the order of the model. */
  services: readonly KnownService[];
}

export interface KnownService {
  index: number;
  name: string;
  place: TwinPlace;
  /** Requests that one instance works on at a time. */
  workers: number;
  workMs: number;
  startupMs: number;
  /** Requests to it for one of each entry, in the order of the model's entries. */
  visits: readonly number[];
  /** Of the entries that reach it, the shortest; Infinity: none does. */
  deadlineMs: number;
  callers: readonly string[];
  callees: readonly string[];
}

export function knowledgeOf(model: TwinModel): Knowledge {
  const own = model.regions[0]?.name ?? '';
  const byEntry = model.entries.map((entry) => visitsOf(model, entry.name, entry.service));
  const services = model.services.flatMap((service, index): KnownService[] => {
    const place = service.places[own];
    if (place === undefined) return [];
    const first = place.instances[0];
    const visits = byEntry.map((one) => one.get(service.name) ?? 0);
    const deadlines = model.entries.filter((_, e) => visits[e]! > 0).map(({ deadlineMs }) => deadlineMs);
    return [
      {
        ...{ index, name: service.name, place, visits },
        workers: first?.workers ?? 1,
        workMs: meanOf(service.time),
        startupMs: first?.startupMs ?? 0,
        deadlineMs: Math.min(...deadlines),
        callees: calleesOf(service),
        callers: model.services.filter((other) => calleesOf(other).includes(service.name)).map(({ name }) => name),
      },
    ];
  });
  return { own, model, services };
}

/**
 * Requests to each service for one request of an entry, a call further from it in each round: ways that meet go on as
 * one, or there would be more of them than can be counted. `stays`: of what comes to a service, what is answered here;
 * what goes to a neighbour makes its calls there.
 */
export function visitsOf(
  model: TwinModel,
  entry: string,
  first: string,
  stays: (service: string) => number = () => 1,
): Map<string, number> {
  const byName = new Map(model.services.map((service) => [service.name, service]));
  const visits = new Map<string, number>();
  let arriving = new Map([[first, 1]]);
  // A cycle of calls goes on for ever, each time for fewer requests.
  for (let depth = 0; depth <= model.services.length; depth++) {
    const next = new Map<string, number>();
    for (const [name, coming] of arriving) {
      const count = coming * stays(name);
      visits.set(name, (visits.get(name) ?? 0) + count);
      for (const call of byName.get(name)?.stages.flat() ?? []) {
        const calls = count * (call.byEntry?.[entry] ?? call.callsPerRequest);
        next.set(call.service, (next.get(call.service) ?? 0) + calls);
      }
    }
    arriving = next;
  }
  return visits;
}

/** As `visitsOf`: share of an entry's requests that need each service here, 0–1; several ways there count as one at most. */
export function reachOf(
  model: TwinModel,
  entry: string,
  first: string,
  stays: (service: string) => number,
): Map<string, number> {
  const byName = new Map(model.services.map((service) => [service.name, service]));
  const reach = new Map([[first, stays(first)]]);
  // Longest ways first to last: a share only ever grows, and a cycle adds nothing to it.
  for (let depth = 0; depth < model.services.length; depth++) {
    let hasGrown = false;
    for (const [name, share] of [...reach]) {
      for (const call of byName.get(name)?.stages.flat() ?? []) {
        const calls = Math.min(1, call.byEntry?.[entry] ?? call.callsPerRequest);
        const one = share * calls * stays(call.service);
        if (one <= (reach.get(call.service) ?? 0)) continue;
        reach.set(call.service, one);
        hasGrown = true;
      }
    }
    if (!hasGrown) break;
  }
  return reach;
}

function calleesOf({ stages }: TwinService): string[] {
  return [...new Set(stages.flat().map(({ service }) => service))];
}

/** Requests per second that are forecast to come to a service; `null`: nobody knows. */
export function forecastAt(
  { model }: Knowledge,
  forecast: TwinDemand | undefined,
  service: KnownService,
  atMs: number,
): number | null {
  if (forecast === undefined) return null;
  const rates = model.entries.map(({ name }) => entryRps(forecast, name, atMs));
  return comingTo(service, rates);
}

/** Requests per second that follow for a service from those by each entry. */
export function comingTo({ visits }: KnownService, rates: readonly number[]): number {
  return rates.reduce((sum, rate, e) => sum + rate * visits[e]!, 0);
}

function entryRps({ entries }: TwinDemand, name: string, atMs: number): number {
  const demand = entries.find(({ entry }) => entry === name);
  const points = demand?.points ?? [];
  const next = points.findIndex((point) => point.atMs > atMs);
  const [before, after] = [points.at(next < 0 ? -1 : Math.max(0, next - 1)), points[next]];
  if (before === undefined) return 0;
  if (demand?.shape === 'step' || after === undefined || before.atMs > atMs) return before.rps;
  return before.rps + ((after.rps - before.rps) * (atMs - before.atMs)) / (after.atMs - before.atMs);
}

/** The twin's model has the plan's settings, and neither its bounds nor classes: all are held to be normal. */
export function plannedOf({ place, workers }: KnownService): PlannedService {
  const { settings, behindInbound } = place;
  return {
    criticality: 'normal',
    settings: {
      'rateLimit.rps': settings['rateLimit.rps'],
      'rateLimit.burst': settings['rateLimit.burst'],
      'inbound.maxRequests': settings['inbound.maxRequests'],
      'breaker.maxRequests': settings['breaker.maxRequests'],
      'breaker.maxPendingRequests': settings['breaker.maxPendingRequests'],
      'breaker.maxConnections': settings['breaker.maxConnections'],
    },
    workersPerInstance: workers,
    behindInbound,
  };
}
