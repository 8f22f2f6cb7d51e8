import type { MetricRow } from '../../adapters/metrics/port.js';

/** A load of wide rows: every second one row a service. The same seed and second give the same values, whenever asked. */
export interface Load {
  services: number;
  /** Fields of a row. */
  metrics: number;
  seed: number;
}

export const MEASUREMENT = 'campaign';
export const SECOND_MS = 1_000;
const DAY_SECONDS = 86_400;

export function serviceName(service: number): string {
  return `service-${String(service).padStart(4, '0')}`;
}

export function fieldName(metric: number): string {
  return `metric_${metric}`;
}

/** Tags of a service's series. */
export function tagsOf(service: number): { region: string; service: string } {
  return { region: 'campaign', service: serviceName(service) };
}

/** What is written for this service, metric and second: a daily wave with noise; every third is a whole number. */
export function valueAt(load: Load, service: number, metric: number, atMs: number): number {
  const second = Math.floor(atMs / SECOND_MS);
  const level = 10 + 990 * chance(load.seed, service, metric);
  const wave = 1 + 0.5 * Math.sin((2 * Math.PI * second) / DAY_SECONDS + service);
  const value = level * wave * (0.95 + 0.1 * chance(load.seed ^ second, service, metric));
  return metric % 3 === 2 ? Math.round(value) : Math.round(value * 100) / 100;
}

/** One row a service, for one second; only the first `services` of them where that is given. */
export function rowsAt(load: Load, atMs: number, services: number = load.services): MetricRow[] {
  return Array.from({ length: services }, (_, service) => {
    const fields: Record<string, number> = {};
    for (let metric = 0; metric < load.metrics; metric += 1) {
      fields[fieldName(metric)] = valueAt(load, service, metric, atMs);
    }
    return { measurement: MEASUREMENT, tags: tagsOf(service), at: atMs, fields };
  });
}

/** In [0, 1), by mixing the bits of three numbers. */
function chance(a: number, b: number, c: number): number {
  let bits = (a ^ Math.imul(b + 1, 0x9e3779b1) ^ Math.imul(c + 1, 0x85ebca6b)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
}
