import path from 'node:path';

import { createRandom, normal } from '../../core/forecast/random.js';
import type { Series } from '../../core/forecast/series.js';
import { mean } from '../../core/forecast/series.js';
import type { DemandSample } from '../../core/spec/csvDemand.js';
import { readCells } from './sets/csv.js';

export const STEP_SECONDS = 300;
export const DAY_STEPS = 288;
export const WEEK_STEPS = 7 * DAY_STEPS;
/** A Monday. */
const START_MS = Date.UTC(2026, 0, 5);

/** Measured in 5-minute steps: requests, load of machines and network. */
const FILES = [
  'nab/elb_request_count_8c0756.csv',
  'nab/ec2_network_in_257a54.csv',
  'nab/grok_asg_anomaly.csv',
  'nab/rds_cpu_utilization_cc0c53.csv',
  'webtraces/nasa_5min.csv',
  'webtraces/twitter_5min.csv',
] as const;

/** Whole weeks of each measured series, in units of its mean. */
export async function measuredShapes(folder: string): Promise<number[][]> {
  return Promise.all(
    FILES.map(async (file) => {
      const rows = (await readCells(path.join(folder, file))).slice(1);
      const values = rows.map((cells) => Math.max(0, Number(cells[1])));
      const whole = values.slice(0, values.length - (values.length % WEEK_STEPS));
      const middle = mean(whole);
      return whole.map((value) => value / middle);
    }),
  );
}

/**
 * Demand of one made service: two measured series, each begun at a whole day of its own, mixed, moved by up to half a
 * day, with a level between 0.5 and 5,000 rps, a slow trend and noise. Depends on its number, the seed and nothing else.
 */
export function madeDemand(
  shapes: readonly (readonly number[])[],
  service: number,
  seed: number,
  steps: number,
): number[] {
  const random = createRandom(Math.imul(seed, 1_000_003) + service);
  const draw = (): readonly number[] => shapes[Math.floor(random() * shapes.length)] ?? [];
  const moved = Math.round((random() - 0.5) * DAY_STEPS);
  const parts = [draw(), draw()].map((shape) => {
    const from = DAY_STEPS * Math.floor((random() * shape.length) / DAY_STEPS) + moved + shape.length;
    return (step: number): number => shape[(from + step) % shape.length] ?? 0;
  });
  const share = 0.5 + 0.5 * random();
  const level = 0.5 * 10_000 ** random();
  const trend = (random() - 0.5) * 0.3;
  const noise = 0.02 + 0.13 * random();
  return Array.from({ length: steps }, (_, step) => {
    const mixed = share * (parts[0]?.(step) ?? 0) + (1 - share) * (parts[1]?.(step) ?? 0);
    const grown = 1 + (trend * step) / steps;
    return Number((level * mixed * grown * Math.exp(noise * normal(random))).toPrecision(6));
  });
}

/** Steps `from` to `to` of one made service. */
export function seriesOf(
  shapes: readonly (readonly number[])[],
  { service, seed, from, to }: { service: number; seed: number; from: number; to: number },
): Series {
  const stepMs = STEP_SECONDS * 1000;
  return { startMs: START_MS + from * stepMs, stepMs, values: madeDemand(shapes, service, seed, to).slice(from) };
}

export function serviceName(service: number): string {
  return `service-${String(service + 1).padStart(4, '0')}`;
}

/** Steps `from` to `to` of a region of made services, as rows of a history file. */
export function regionRows(
  shapes: readonly (readonly number[])[],
  { services, seed, from, to }: { services: number; seed: number; from: number; to: number },
): DemandSample[] {
  const rows: DemandSample[] = [];
  for (let service = 0; service < services; service++) {
    const { startMs, stepMs, values } = seriesOf(shapes, { service, seed, from, to });
    const name = serviceName(service);
    for (const [step, rps] of values.entries()) rows.push({ at: startMs + step * stepMs, service: name, rps });
  }
  return rows;
}
