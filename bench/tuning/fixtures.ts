import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { TwinControl } from '../../core/simulate/control.js';
import type { TwinPolicy } from '../../core/simulate/policy.js';
import type { DemandSources } from './demandSources.js';

/** A member that is not there has no say. */
export const NO_ENGINES: ForecastEngines = {
  mstl: { fitPredict: () => ({ ok: false, reason: 'not loaded' }) },
  prophet: { fitPredict: () => ({ ok: false, reason: 'not loaded' }) },
};

/** An hour of seconds and weeks of hours, by formula. */
export function madeSources(): DemandSources {
  const trace = (period: number, noise: number): number[] =>
    Array.from({ length: 3600 }, (_, i) => {
      const wobble = ((i * 7919) % 101) / 101 - 0.5;
      return 100 + 20 * Math.sin((2 * Math.PI * i) / period) + noise * wobble;
    });
  const day = (days: number, valuesPerHour: number): number[] =>
    Array.from({ length: days * 24 * valuesPerHour }, (_, i) => {
      const hour = i / valuesPerHour;
      return 100 - 40 * Math.cos((2 * Math.PI * hour) / 24) + 10 * Math.cos((2 * Math.PI * hour) / 168);
    });
  return {
    traces: { diurnal: trace(3600, 4), 'diurnal-2': trace(1800, 4), noisy: trace(900, 40), bursty: trace(300, 20) },
    days: {
      nasa: { valuesPerHour: 12, values: day(50, 12) },
      twitter: { valuesPerHour: 12, values: day(21, 12) },
      bike: { valuesPerHour: 1, values: day(410, 1) },
    },
  };
}

export const idle: TwinPolicy = {
  name: 'idle',
  source: 'does nothing',
  grid: [{}],
  create: ({ model }) => ({ model }),
};

/** Sets the inbound limit of every service to so many at its second tick, and back `ticks` later. */
export function limiting(most: number, ticks: number): TwinPolicy {
  return {
    name: `limiting-${most}`,
    source: 'a test',
    grid: [{ most }, { most: 1 }],
    create: ({ model, params }) => {
      const own = model.regions[0]?.name ?? '';
      const planned = model.services.map(
        ({ name, places }) => [name, places[own]?.settings['inbound.maxRequests'] ?? 1] as const,
      );
      const control: TwinControl = {
        intervalMs: 5000,
        onTick: ({ tick }) => {
          if (tick === 1)
            return planned.map(([service]) => ({ service, settings: { 'inbound.maxRequests': params['most'] ?? 1 } }));
          if (tick === 1 + ticks)
            return planned.map(([service, before]) => ({ service, settings: { 'inbound.maxRequests': before } }));
          return [];
        },
      };
      return { model, control };
    },
  };
}
