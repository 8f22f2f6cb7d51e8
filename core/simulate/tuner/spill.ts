import type { ServiceSettings } from '../../spec/settings.js';
import type { TwinAction, TwinView } from '../control.js';
import { comingTo } from './knowledge.js';
import type { Knowledge, KnownService } from './knowledge.js';
import { entryRates, readyHere } from './reading.js';

/** Of what ready workers can do: beyond it, requests wait longer here than the way to a neighbour takes. */
const FULL_UTILISATION = 0.75;
/** Percent of a service's requests; smaller changes are not made. */
const LEAST_STEP = 2;

/**
 * What exceeds ready capacity goes to neighbours at once, as far as they can spare: the router's answer to the demand
 * that is seen, without its fine print, until instances have started. Within capacity the plan's weights stand.
 */
export class Spill {
  private readonly knowledge: Knowledge;
  /** Percent that leaves; absent: the plan's weights. */
  private readonly away = new Map<string, number>();

  constructor(knowledge: Knowledge) {
    this.knowledge = knowledge;
  }

  /** Of a service's requests, what stays here, 0–1: by the plan's weights where nothing more leaves. */
  stays(service: string): number {
    const away = this.away.get(service);
    if (away !== undefined) return 1 - away / 100;
    const weights = this.knowledge.services.find(({ name }) => name === service)?.place.weights ?? {};
    const total = Object.values(weights).reduce((sum, percent) => sum + percent, 0);
    return total > 0 ? (weights[this.knowledge.own] ?? 0) / total : 1;
  }

  onTick(view: TwinView, intervalMs: number): TwinAction[] {
    const rates = entryRates(view, intervalMs);
    return this.knowledge.services.flatMap((service): TwinAction[] => {
      const spare = this.spareOf(service);
      if (spare.length === 0) return [];
      const seen = comingTo(service, rates);
      const room = this.readyRps(view, service) * FULL_UTILISATION;
      const most = spare.reduce((sum, { rps }) => sum + rps, 0);
      // What nobody has room for is shared in proportion.
      const share = seen <= room ? 0 : Math.min((seen - room) / seen, most / Math.max(1e-9, room + most));
      const percent = Math.min(90, Math.round(100 * share));
      return this.send(service, percent, spare);
    });
  }

  private send(service: KnownService, percent: number, spare: readonly Spare[]): TwinAction[] {
    const { name, place } = service;
    const now = this.away.get(name) ?? 0;
    const planned = 100 - (place.weights[this.knowledge.own] ?? 0);
    if (percent <= planned) {
      if (!this.away.delete(name)) return [];
      return [{ service: name, weights: place.weights, settings: ratesFor(place.settings, 1) }];
    }
    if (Math.abs(percent - now) < LEAST_STEP) return [];
    this.away.set(name, percent);
    const total = spare.reduce((sum, { rps }) => sum + rps, 0);
    const away = spare.map(({ region, rps }) => [region, (percent * rps) / total] as const);
    const weights = { [this.knowledge.own]: 100 - percent, ...Object.fromEntries(away) };
    return [{ service: name, weights, settings: ratesFor(place.settings, 1 - percent / 100) }];
  }

  private readyRps(view: TwinView, service: KnownService): number {
    const ready = readyHere(view.instances, this.knowledge, service);
    return (1000 * ready.length * service.workers) / service.workMs;
  }

  /** Neighbours' instances are what they can spare. */
  private spareOf({ index, workMs }: KnownService): Spare[] {
    const { model, own } = this.knowledge;
    return Object.entries(model.services[index]!.places)
      .filter(([region]) => region !== own)
      .map(([region, { instances }]) => {
        const workers = instances.reduce((sum, one) => sum + one.workers, 0);
        return { region, rps: (FULL_UTILISATION * 1000 * workers) / workMs };
      });
  }
}

/** A rate limit is of what all regions together can serve: the planner's own rule (`admissibleRps`). */
function ratesFor(planned: ServiceSettings, stays: number): Partial<ServiceSettings> {
  return {
    'rateLimit.rps': Math.ceil(planned['rateLimit.rps'] / stays),
    'rateLimit.burst': Math.ceil(planned['rateLimit.burst'] / stays),
  };
}

interface Spare {
  region: string;
  rps: number;
}
