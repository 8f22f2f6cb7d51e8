import { solvePositive } from './members/leastSquares.js';
import { mean } from './series.js';

/** Forecasts of one service before they are made to agree with the others: by origin of the back-test, and ahead. */
export interface Unreconciled {
  service: string;
  heldOut: readonly { originMs: number; actual: readonly number[]; predicted: readonly number[] }[];
  mean: readonly number[];
  /** What an error is measured in, rps. */
  scale: number;
}

export interface Reconciled {
  /** By service: new `mean` and new predictions of `heldOut`. */
  byService: ReadonlyMap<string, { mean: readonly number[]; predicted: readonly (readonly number[])[] }>;
  /** Mean scaled error over all held-out points, before and after. */
  before: number;
  after: number;
}

/** Demand of a service for one request a second at each entry: `calls.get(service)?.get(entry)`. */
export type CallsByEntry = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** So much better in the back-test, or forecasts stay as they are: agreement alone is worth nothing to a plan. */
const LEAST_GAIN = 0.01;

/**
 * Forecasts that agree along the graph: the demand at the entries which, carried through the graph, comes closest to
 * all forecasts, each weighted by the inverse of its error in the back-test (minimum trace with a diagonal, after
 * Wickramasuriya, Athanasopoulos & Hyndman 2019). Each origin is judged by weights of the others. `null` where it does
 * not forecast better than each by itself, or there is nothing to make agree.
 */
export function reconcile(
  services: readonly Unreconciled[],
  calls: CallsByEntry,
  entries: readonly string[],
): Reconciled | null {
  const known = services.filter(({ service }) => calls.has(service));
  const used = entries.filter((entry) => known.some(({ service }) => service === entry));
  const origins = known[0]?.heldOut ?? [];
  const aligned = known.every(
    ({ heldOut }) =>
      heldOut.length === origins.length &&
      heldOut.every(
        (one, index) =>
          one.originMs === origins[index]?.originMs && one.predicted.length === origins[index]?.predicted.length,
      ),
  );
  // A demand that reaches a service by an entry without forecast cannot be told from these.
  const whole = known.every(({ service }) =>
    [...(calls.get(service)?.keys() ?? [])].every((entry) => used.includes(entry)),
  );
  if (known.length <= used.length || used.length === 0 || origins.length < 2 || !aligned || !whole) return null;
  const share = known.map(({ service }) => used.map((entry) => calls.get(service)?.get(entry) ?? 0));
  const after = origins.map((_, held) => {
    const weights = known.map((one) => weightOf(one, (origin) => origin !== held));
    return project(
      known.map((one) => one.heldOut[held]?.predicted ?? []),
      share,
      weights,
    );
  });
  const error = (predictedOf: (service: number, origin: number) => readonly number[]): number =>
    mean(
      known.flatMap((one, index) =>
        one.heldOut.map(({ actual }, origin) => scaled(one, actual, predictedOf(index, origin))),
      ),
    );
  const plain = error((index, origin) => known[index]?.heldOut[origin]?.predicted ?? []);
  const agreed = error((index, origin) => after[origin]?.[index] ?? []);
  if (!(agreed < (1 - LEAST_GAIN) * plain)) return null;
  const weights = known.map((one) => weightOf(one, () => true));
  const ahead = project(
    known.map((one) => one.mean),
    share,
    weights,
  );
  const byService = new Map(
    known.map((one, index) => [
      one.service,
      { mean: ahead[index] ?? one.mean, predicted: after.map((origin) => origin[index] ?? []) },
    ]),
  );
  return { byService, before: plain, after: agreed };
}

function scaled({ scale }: Unreconciled, actual: readonly number[], predicted: readonly number[]): number {
  const error = mean(actual.map((value, step) => Math.abs(value - (predicted[step] ?? 0))));
  return scale > 0 ? error / scale : 0;
}

/** Inverse of the mean square error over some of the origins. */
function weightOf(one: Unreconciled, counts: (origin: number) => boolean): number {
  const squares = one.heldOut.flatMap(({ actual, predicted }, origin) =>
    counts(origin) ? actual.map((value, step) => (value - (predicted[step] ?? 0)) ** 2) : [],
  );
  // Nothing is known better than to a thousandth of its usual change.
  return 1 / (mean(squares) + (1e-3 * one.scale) ** 2 + Number.MIN_VALUE);
}

/** Rows of forecasts → the nearest rows that some demand at the entries explains; `share[service][entry]`. */
function project(
  rows: readonly (readonly number[])[],
  share: readonly (readonly number[])[],
  weights: readonly number[],
): number[][] {
  const entries = share[0]?.map((_, index) => index) ?? [];
  const most = Math.max(...weights);
  const part = weights.map((weight) => weight / most);
  const gram = entries.map((a) =>
    entries
      .slice(0, a + 1)
      .map((b) => share.reduce((sum, of, row) => sum + (part[row] ?? 0) * (of[a] ?? 0) * (of[b] ?? 0), 0)),
  );
  const steps = rows[0]?.length ?? 0;
  const out = rows.map((): number[] => []);
  for (let step = 0; step < steps; step++) {
    const right = entries.map((entry) =>
      share.reduce((sum, of, row) => sum + (part[row] ?? 0) * (of[entry] ?? 0) * (rows[row]?.[step] ?? 0), 0),
    );
    const demand = solvePositive(gram, right).map((value) => Math.max(0, value));
    for (const [row, of] of share.entries()) {
      out[row]?.push(of.reduce((sum, calls, entry) => sum + calls * (demand[entry] ?? 0), 0));
    }
  }
  return out;
}
