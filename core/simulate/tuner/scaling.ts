import type { TwinAction, TwinView } from '../control.js';
import type { TwinDemand } from '../model.js';
import { comingTo, forecastAt } from './knowledge.js';
import type { Knowledge, KnownService } from './knowledge.js';
import { entryRates } from './reading.js';

/** Of a worker's time: what instances are wanted for. */
const WANTED_UTILISATION = 0.7;
/** So long nothing more may have been needed before any goes. */
const HOLD_MS = 120_000;

/**
 * What stands beside the mesh in operation: the region's autoscaler, to which the plan's targets are the least
 * (`minReplicas`). It never goes below the plan; above it, it follows what enters and the graph says will come to
 * each service, for all services in the tick in which it is seen, and the forecast as far as an instance takes to start.
 */
export class Scaling {
  private readonly knowledge: Knowledge;
  private readonly forecast: TwinDemand | undefined;
  private readonly targets: number[];
  private readonly neededAtMs: number[];

  constructor(knowledge: Knowledge, forecast: TwinDemand | undefined) {
    this.knowledge = knowledge;
    this.forecast = forecast;
    this.targets = knowledge.services.map(({ place }) => place.instances.length);
    this.neededAtMs = knowledge.services.map(() => 0);
  }

  onTick(view: TwinView, intervalMs: number): TwinAction[] {
    const rates = entryRates(view, intervalMs);
    return this.knowledge.services.flatMap((service, s): TwinAction[] => {
      const wanted = this.wanted(service, rates, view.nowMs);
      const now = this.targets[s]!;
      if (wanted >= now) this.neededAtMs[s] = view.nowMs;
      const isHeld = view.nowMs - this.neededAtMs[s]! < HOLD_MS;
      const target = wanted > now ? wanted : isHeld ? now : now - 1;
      const least = service.place.instances.length;
      if (target === now || target < least) return [];
      this.targets[s] = target;
      return [{ service: service.name, targetInstances: target }];
    });
  }

  private wanted(service: KnownService, rates: readonly number[], nowMs: number): number {
    const { place, workers, workMs, startupMs } = service;
    const seen = comingTo(service, rates);
    const ahead = forecastAt(this.knowledge, this.forecast, service, nowMs + startupMs) ?? 0;
    const least = place.instances.length;
    const most = Math.max(least, place.maxInstances ?? 0);
    const needed = (Math.max(seen, ahead) * workMs) / 1000 / workers / WANTED_UTILISATION;
    return Math.min(most, Math.max(least, Math.ceil(needed - 1e-9)));
  }
}
