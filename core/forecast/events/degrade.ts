import type { DemandSample } from '../../spec/csvDemand.js';
import type { DemandForecast, Trust } from '../../spec/forecast.js';
import { lessTrust } from '../../spec/forecast.js';
import type { EventsWindow } from './eventsFile.js';

/** A source of events that did not answer as it should; `missing`: no copy stands in for its events. */
export interface Degradation {
  source: string;
  reason: string;
  missing: boolean;
}

/**
 * The forecast of a region whose sources of events are not all there. Where events are missing a campaign may be
 * among them: trust is at most low, which lets capacity rise and never fall. Where an old copy stands in it is at most
 * fair.
 */
export function degradeForecast(forecast: DemandForecast, degradations: readonly Degradation[]): DemandForecast {
  if (degradations.length === 0) return forecast;
  const most: Trust = degradations.some(({ missing }) => missing) ? 'low' : 'fair';
  const reasons = degradations.map(({ source, reason }) => `event source ${source} ${reason}`);
  return {
    ...forecast,
    degraded: [...(forecast.degraded ?? []), ...reasons],
    series: forecast.series.map((series) => {
      if (lessTrust(most, series.trust) === series.trust) return series;
      const lacking = degradations.map(({ source }) => source).join(', ');
      return { ...series, trust: most, trustReason: `${series.trustReason}; at most ${most} without ${lacking}` };
    }),
  };
}

/** From the first row of the history to the end of a horizon that starts at `atMs`, or without it at the last row. */
export function eventsWindow(
  rows: readonly DemandSample[],
  stepSeconds: number,
  horizonSteps: number,
  atMs?: number,
): EventsWindow {
  let fromMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { at } of rows) {
    fromMs = Math.min(fromMs, at);
    lastMs = Math.max(lastMs, at);
  }
  const given = atMs !== undefined && Number.isFinite(atMs);
  const startMs = given ? atMs : lastMs;
  if (!Number.isFinite(startMs)) return { fromMs: 0, toMs: 0 };
  // One step more: the forecast begins with the step that is under way.
  const toMs = startMs + (horizonSteps + 1) * stepSeconds * 1000;
  return { fromMs: Math.min(fromMs, startMs), toMs, ...(given ? { atMs } : {}) };
}
