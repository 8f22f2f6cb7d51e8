import type { DemandForecast } from '../spec/forecast.js';
import type { PlanWindow, ServicePlan } from '../spec/plan.js';
import type { RegionSpec } from '../spec/region.js';

/** A stretch of the horizon that is planned for as one. */
export interface WindowSpan {
  /** Milliseconds since the epoch, demand time. */
  fromMs: number;
  toMs: number;
  /** Steps of the forecast whose demand the window must take: those it holds and those of the lead behind it. */
  firstStep: number;
  steps: number;
  /** Steps of the forecast that the window holds itself. */
  ownSteps: number;
}

/**
 * Cuts the horizon into windows. A window takes the demand of its own steps and of the lead after it, so that a rise is
 * in force that long before it comes, and a fall only once it has come: the lead is the one stated and the slowest
 * start-up on top. Borders lie at multiples of the window's length, so that a later plan cuts at the same places.
 * Without `planning` the horizon is one window.
 */
export function cutWindows(region: RegionSpec, forecast: DemandForecast): WindowSpan[] {
  const times = (forecast.series[0]?.timestamps ?? []).map((text) => Date.parse(text));
  const [first = 0] = times;
  const last = times.at(-1) ?? first;
  const stepMs = (times[1] ?? first) - first;
  const endMs = last + stepMs;
  const { planning } = region;
  if (planning === undefined || stepMs <= 0) {
    return [{ fromMs: first, toMs: endMs, firstStep: 0, steps: times.length, ownSteps: times.length }];
  }
  const lengthMs = Math.max(stepMs, Math.round((planning.windowSeconds * 1000) / stepMs) * stepMs);
  const startupSeconds = Math.max(0, ...region.services.map((service) => service.capacity.startupSeconds));
  // Instances start by the clock on the wall; a window is a stretch of demand, which may be replayed faster.
  const leadMs = (planning.leadSeconds + startupSeconds) * 1000 * (region.demandClock?.speed ?? 1);
  const spans: WindowSpan[] = [];
  for (let fromMs = first; fromMs < endMs;) {
    const toMs = Math.min(endMs, (Math.floor(fromMs / lengthMs) + 1) * lengthMs);
    const firstStep = Math.floor((fromMs - first) / stepMs);
    const beyond = Math.min(times.length, Math.ceil((toMs + leadMs - first) / stepMs));
    const ownSteps = Math.max(1, Math.ceil((toMs - first) / stepMs) - firstStep);
    spans.push({ fromMs, toMs, firstStep, steps: beyond - firstStep, ownSteps });
    fromMs = toMs;
  }
  return spans;
}

/**
 * Counts window by window that do not flap: a rise is taken at once; a fall only when it is by more than `hysteresis`
 * (0–1), and no further than what the next window needs.
 */
export function steadyCounts(needed: readonly number[], hysteresis: number): number[] {
  const counts: number[] = [];
  needed.forEach((count, i) => {
    const before = counts[i - 1] ?? 0;
    const wanted = Math.max(count, needed[i + 1] ?? 0);
    if (count >= before) counts.push(count);
    else counts.push(wanted >= before * (1 - hysteresis) ? before : wanted);
  });
  return counts;
}

/**
 * A window keeps of its services those of which something runs otherwise than in the window before; one in which
 * nothing does joins that one. Demand alone is no difference: what it was planned for stays with the plan that it led to.
 */
export function asDeltas(windows: readonly PlanWindow[]): PlanWindow[] {
  const deltas: PlanWindow[] = [];
  const running = new Map<string, string>();
  for (const window of windows) {
    const services = window.services.filter((service) => {
      const text = valuesOf(service);
      if (running.get(service.service) === text) return false;
      running.set(service.service, text);
      return true;
    });
    const before = deltas.at(-1);
    if (before !== undefined && services.length === 0) deltas[deltas.length - 1] = { ...before, to: window.to };
    else deltas.push({ ...window, services });
  }
  return deltas;
}

function valuesOf({ instances, weights, settings, bounds, failover, admission, calls }: ServicePlan): string {
  const values = (of: Readonly<Record<string, { value: unknown }>>): unknown[] =>
    Object.values(of).map((one) => one.value);
  return JSON.stringify([
    instances.value,
    values(weights),
    values(settings),
    bounds,
    failover,
    admission?.value,
    calls,
  ]);
}
