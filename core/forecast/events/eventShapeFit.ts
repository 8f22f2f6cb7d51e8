import type { ShapePart } from './eventShape.js';
import type { EventRows } from './eventShapeUsual.js';
import { ridge } from '../members/leastSquares.js';

/** A part of what one kind does, as a column over the rows. */
export interface Term {
  /** Index of the kind. */
  kind: number;
  part: ShapePart;
  column: Float64Array;
}

export interface FitOptions {
  /** By kind: what it is said to do at height 1, as the logarithm of a factor. */
  stated: readonly (number | undefined)[];
  /** Variance of what comes in units of its mean. */
  noise: number;
  /** Group of zones that is left out. */
  without?: (zone: number) => boolean;
}

/** Standard deviations expected before the history is seen, of the logarithm of an effect: while it lasts, of a part. */
const DURING_PRIOR = 0.5;
const PART_PRIOR = 0.3;
const ROUNDS = 5;
/** The fit ends when no weight moves farther. */
const ENOUGH = 0.003;
/** Surprise that one round of the fit believes, as a share of what it expects: more would throw it far off. */
const MOST_SURPRISE = 2;
/** Effects beyond a factor of 20 are not believed. */
const MOST_EFFECT = 3;

/**
 * Weights of the terms: Poisson regression of what came on what is usual, so that sums are compared and not ratios (a
 * quiet night says little, and its ratio would say it loudest). Pulled towards what is stated, else to no effect. What
 * rises to an event and what fades after it is expected to meet it: their priors are the weight while it lasts.
 */
export function fitTerms(rows: EventRows, terms: readonly Term[], options: FitOptions): number[] {
  const { stated, noise } = options;
  const used = rowsUsed(rows, terms, options.without);
  const joined = terms.map((term) => joinedColumn(term, terms, used));
  const priors = terms.map(({ kind, part }) => (part.name === 'during' ? (stated[kind] ?? 0) : 0));
  const penalties = terms.map(({ part }) => noise / (part.name === 'during' ? DURING_PRIOR : PART_PRIOR) ** 2);
  const target = new Float64Array(used.length);
  const columns = terms.map(() => new Float64Array(used.length));
  let found = priors;
  for (let round = 0; round < ROUNDS && used.length > 0; round++) {
    for (let at = 0; at < used.length; at++) {
      const row = used[at] ?? 0;
      const now = sumAt(joined, found, at);
      const expected = (rows.usual[row] ?? 0) * Math.exp(now);
      const surprise = ((rows.came[row] ?? 0) - expected) / expected;
      const root = Math.sqrt(expected);
      target[at] = root * (now - sumAt(joined, priors, at) + Math.min(MOST_SURPRISE, surprise));
      for (let index = 0; index < columns.length; index++) {
        const column = columns[index];
        if (column !== undefined) column[at] = root * (joined[index]?.[at] ?? 0);
      }
    }
    const before = found;
    found = ridge(columns, target, 0, penalties).map((weight, at) => within(weight + (priors[at] ?? 0)));
    if (found.every((weight, at) => Math.abs(weight - (before[at] ?? 0)) < ENOUGH)) break;
  }
  return terms.map((term, at) => {
    const during = terms.findIndex((other) => isTied(other, term));
    return (found[at] ?? 0) + (found[during] ?? 0);
  });
}

/** Rows on which any term acts, those left out aside. */
function rowsUsed(rows: EventRows, terms: readonly Term[], without: FitOptions['without']): number[] {
  const used: number[] = [];
  for (let row = 0; row < rows.step.length; row++) {
    if (without?.(rows.zone[row] ?? 0) === true) continue;
    if (terms.some(({ column }) => column[row] !== 0)) used.push(row);
  }
  return used;
}

/** The term's column over these rows, with those of the parts that are expected to be as strong. */
function joinedColumn(term: Term, terms: readonly Term[], used: readonly number[]): Float64Array {
  const joined = new Float64Array(used.length);
  for (const other of terms) {
    if (other !== term && !isTied(term, other)) continue;
    for (let at = 0; at < used.length; at++) joined[at] = (joined[at] ?? 0) + (other.column[used[at] ?? 0] ?? 0);
  }
  return joined;
}

/** What the terms say of each row, as the logarithm of a factor on demand. */
export function effectsOn(terms: readonly { column: Float64Array }[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array(terms[0]?.column.length ?? 0);
  for (const [index, { column }] of terms.entries()) {
    const weight = weights[index] ?? 0;
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + weight * (column[at] ?? 0);
  }
  return sum;
}

/** Variance in units of the mean. Errors of one zone hang together, so whole zones are compared as well as steps. */
export function noiseOf(rows: EventRows, effects: Float64Array): number {
  const zones = new Map<number, { square: number; off: number; usual: number }>();
  for (const [row, zone] of rows.zone.entries()) {
    const usual = rows.usual[row] ?? 0;
    const off = (rows.came[row] ?? 0) - usual * Math.exp(effects[row] ?? 0);
    const sums = zones.get(zone) ?? { square: 0, off: 0, usual: 0 };
    zones.set(zone, { square: sums.square + off * off, off: sums.off + off, usual: sums.usual + usual });
  }
  let [square, usual, byZone] = [0, 0, 0];
  for (const sums of zones.values()) {
    square += sums.square;
    usual += sums.usual;
    byZone += sums.off ** 2 / sums.usual / zones.size;
  }
  return Math.max(usual > 0 ? square / usual : 0, byZone, 1e-9);
}

/** Whether a part is expected to be as strong as its kind is while it lasts. */
function isTied(during: Term, other: Term): boolean {
  const meets = other.part.name === 'after' || other.part.name === 'ramp';
  return during.part.name === 'during' && meets && other.kind === during.kind;
}

function sumAt(columns: readonly Float64Array[], weights: readonly number[], at: number): number {
  let sum = 0;
  for (let index = 0; index < columns.length; index++) sum += (weights[index] ?? 0) * (columns[index]?.[at] ?? 0);
  return sum;
}

function within(weight: number): number {
  return Math.min(MOST_EFFECT, Math.max(-MOST_EFFECT, weight));
}
