import { callsByEntry } from '../../core/graph/propagate.js';
import { meanOf } from '../../core/simulate/engine/workTime.js';
import type { TwinModel } from '../../core/simulate/model.js';
import type { App } from './apps.js';

/** What whoever knows demand and capacity would let in: rps by entry, and what that is worth a second. */
export interface Optimum {
  admittedRps: Readonly<Record<string, number>>;
  valuePerSecond: number;
}

/** Requests a second that the instances of each service in our own region can work off. */
export function capacities(model: TwinModel): Map<string, number> {
  const own = model.regions[0]?.name ?? '';
  return new Map(
    model.services.map(({ name, time, places }) => {
      const workers = (places[own]?.instances ?? []).reduce((sum, one) => sum + one.workers, 0);
      return [name, (1000 * workers) / meanOf(time)];
    }),
  );
}

/** Most value of admitted flow under the capacity of every service: max Σ v·x, 0 ≤ x ≤ demand, calls · x ≤ capacity. */
export function clairvoyant(
  { graph }: Pick<App, 'graph'>,
  model: TwinModel,
  demandRps: Readonly<Record<string, number>>,
): Optimum {
  const entries = model.entries;
  const calls = callsByEntry(
    graph,
    entries.map(({ service }) => service),
  );
  const rows: Row[] = [...capacities(model)].map(([service, capacity]) => ({
    of: entries.map((entry) => calls.get(service)?.get(entry.service) ?? 0),
    most: capacity,
  }));
  entries.forEach((entry, i) => {
    const unit = entries.map((_, k) => (k === i ? 1 : 0));
    rows.push({ of: unit, most: demandRps[entry.name] ?? 0 }, { of: unit.map((one) => -one), most: 0 });
  });
  const values = entries.map(({ value }) => value);
  const best = bestVertex(values, rows);
  return {
    admittedRps: Object.fromEntries(entries.map(({ name }, i) => [name, best[i] ?? 0])),
    valuePerSecond: dot(values, best),
  };
}

/** `of · x ≤ most` */
interface Row {
  of: readonly number[];
  most: number;
}

/** A bounded linear problem of a few variables has its best at a vertex: all of them are looked at. */
export function bestVertex(values: readonly number[], rows: readonly Row[]): number[] {
  let best = values.map(() => 0);
  for (const chosen of subsets(rows, values.length)) {
    const point = solve(chosen);
    if (point === undefined) continue;
    const isWithin = rows.every(({ of, most }) => dot(of, point) <= most + 1e-9 * Math.max(1, Math.abs(most)));
    if (isWithin && dot(values, point) > dot(values, best)) best = point;
  }
  return best;
}

function* subsets<T>(all: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield [];
  else {
    for (let i = from; i <= all.length - size; i++) {
      for (const rest of subsets(all, size - 1, i + 1)) yield [all[i] as T, ...rest];
    }
  }
}

/** Gauss–Jordan with pivots; undefined where the planes do not meet in a point. */
function solve(rows: readonly Row[]): number[] | undefined {
  const matrix = rows.map(({ of, most }) => [...of, most]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const rest = matrix.slice(column);
    const pivot = column + rest.findIndex((row) => Math.abs(row[column] ?? 0) === most(rest, column));
    const [a, b] = [matrix[column], matrix[pivot]];
    if (a === undefined || b === undefined || Math.abs(b[column] ?? 0) < 1e-12) return undefined;
    [matrix[column], matrix[pivot]] = [b, a];
    const scale = b[column] ?? 1;
    matrix[column] = b.map((value) => value / scale);
    for (const [i, row] of matrix.entries()) {
      if (i === column) continue;
      const by = row[column] ?? 0;
      matrix[i] = row.map((value, k) => value - by * (matrix[column]?.[k] ?? 0));
    }
  }
  return matrix.map((row) => row[size] ?? 0);
}

function most(rows: readonly (readonly number[])[], column: number): number {
  return Math.max(...rows.map((row) => Math.abs(row[column] ?? 0)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
