import { readFileSync } from 'node:fs';
import type { DemandClockSpec } from '../../core/spec/region.js';

/** Recorded demand: requests per second by service, each value holding from its time to the next. */
export interface RecordedDemand {
  services: readonly string[];
  /** 0 before the first and one step after the last value. */
  rpsAt(service: string, demandMs: number): number;
  /** Demand time at which the value changes next; `Infinity` when it does not. */
  nextChangeMs(service: string, demandMs: number): number;
}

interface Point {
  at: number;
  rps: number;
}

/** Reads long CSV `timestamp,service,rps`. Throws with the line for what is no demand. */
export function readDemand(file: string): RecordedDemand {
  return parseDemand(readFileSync(file, 'utf8'), file);
}

export function parseDemand(text: string, file = 'demand'): RecordedDemand {
  const series = new Map<string, Point[]>();
  const [header, ...lines] = text.trim().split(/\r?\n/);
  if (header !== 'timestamp,service,rps') throw new Error(`${file}:1: expected the header timestamp,service,rps`);
  lines.forEach((line, index) => {
    const [timestamp = '', service = '', value = ''] = line.split(',');
    const point = { at: Date.parse(timestamp), rps: Number(value) };
    if (Number.isNaN(point.at) || service === '' || !(point.rps >= 0)) {
      throw new Error(`${file}:${index + 2}: "${line}" is no timestamp,service,rps`);
    }
    series.set(service, [...(series.get(service) ?? []), point]);
  });
  for (const [service, points] of series) series.set(service, closed(points));
  const indexAt = (points: readonly Point[], at: number): number => points.findLastIndex((p) => p.at <= at);
  return {
    services: [...series.keys()],
    rpsAt: (service, demandMs) => {
      const points = series.get(service) ?? [];
      return points[indexAt(points, demandMs)]?.rps ?? 0;
    },
    nextChangeMs: (service, demandMs) => {
      const points = series.get(service) ?? [];
      return points[indexAt(points, demandMs) + 1]?.at ?? Infinity;
    },
  };
}

/** Sorted, with a zero where the last step ends: nothing is known of the time after. */
function closed(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.at - b.at);
  const [last, previous] = [sorted.at(-1), sorted.at(-2)];
  if (last === undefined || previous === undefined) return sorted;
  return [...sorted, { at: last.at + (last.at - previous.at), rps: 0 }];
}

/** Demand time at a wall time, both in milliseconds since the epoch. */
export function demandTime(clock: DemandClockSpec, wallMs: number): number {
  return Date.parse(clock.demandFrom) + (wallMs - Date.parse(clock.wallFrom)) * clock.speed;
}

export function wallTime(clock: DemandClockSpec, demandMs: number): number {
  return Date.parse(clock.wallFrom) + (demandMs - Date.parse(clock.demandFrom)) / clock.speed;
}
