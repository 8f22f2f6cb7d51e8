import type { Occurrence, ShapePart } from './eventShape.js';
import { DURING, partsToTry, shapeColumn } from './eventShape.js';
import type { FitOptions, Term } from './eventShapeFit.js';
import { effectsOn, fitTerms, noiseOf } from './eventShapeFit.js';
import type { EventRows } from './eventShapeUsual.js';
import { usualRows } from './eventShapeUsual.js';

/** A kind of event that the history shows. */
export interface SeenKind {
  kind: string;
  /** In the history and ahead, by start. */
  occurrences: readonly Occurrence[];
  /** What it is said to do at height 1, as the logarithm of a factor; absent: nothing is said. */
  stated: number | undefined;
}

/** What a kind does, at height 1 and as logarithms of factors on demand. */
export interface LearnedKind {
  kind: string;
  parts: readonly { part: ShapePart; weight: number }[];
  /** Standard deviation of what one more occurrence does beside that. */
  spread: number;
}

/** The second look has a history without the effects that the first one found: more of it says what is usual. */
const LOOKS = 2;
/** A part is kept where occurrences that were held out are told by this share better on the steps that it touches. */
const LEAST_GAIN = 0.03;
/** Share of a part's strength below which it does not touch a step. */
const TOUCHES = 0.05;
/** Occurrences are held out in so many groups at most. */
const MOST_FOLDS = 6;
/** Spread between occurrences expected before the history is seen, and how many occurrences that is worth. */
const SPREAD_PRIOR = 0.1;
const SPREAD_PRIOR_WORTH = 2;

/**
 * What each kind does to demand, all learned at once so that kinds which overlap share what came. Parts beside `during`
 * are kept only where they tell better what occurrences did that were held out. `values`: the history, rps; seasons
 * in steps, rising.
 */
export function learnKinds(
  kinds: readonly SeenKind[],
  values: readonly number[],
  seasons: readonly number[],
): LearnedKind[] {
  // One that is yet to come teaches nothing, even where its lead has begun.
  const occurrences = kinds.flatMap((kind) => kind.occurrences).filter(({ start }) => start < values.length);
  let learned: LearnedKind[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const quiet = look === 0 ? undefined : quietValues(values, kindEffects(kinds, learned, values.length));
    learned = learnOnce(kinds, usualRows(values, seasons, occurrences, quiet), seasons[0] ?? 1, values.length);
  }
  return learned;
}

/** Logarithm of the factor on demand that all kinds together have at each of the first `steps` steps. */
export function kindEffects(kinds: readonly SeenKind[], learned: readonly LearnedKind[], steps: number): Float64Array {
  const sum = new Float64Array(steps);
  for (const [index, { parts }] of learned.entries()) {
    for (const { part, weight } of parts) {
      const column = shapeColumn(part, kinds[index]?.occurrences ?? [], steps);
      for (let step = 0; step < steps; step++) sum[step] = (sum[step] ?? 0) + weight * (column[step] ?? 0);
    }
  }
  return sum;
}

export function quietValues(values: readonly number[], effects: Float64Array): number[] {
  return values.map((value, step) => value / Math.exp(effects[step] ?? 0));
}

function learnOnce(kinds: readonly SeenKind[], rows: EventRows, shortestSeason: number, length: number): LearnedKind[] {
  const term = (kind: number, part: ShapePart): Term => {
    const column = shapeColumn(part, kinds[kind]?.occurrences ?? [], length);
    return { kind, part, column: Float64Array.from(rows.step, (step) => column[step] ?? 0) };
  };
  const stated = kinds.map((kind) => kind.stated);
  let terms = kinds.map((_, kind) => term(kind, DURING));
  const options = { stated, noise: noiseOf(rows, effectsOn(terms, fitTerms(rows, terms, { stated, noise: 1 }))) };
  for (const kind of kinds.keys()) {
    for (const parts of partsToTry(shortestSeason)) {
      const candidates = parts.map((part) => term(kind, part));
      terms = withBest(rows, terms, candidates, options);
    }
  }
  const weights = fitTerms(rows, terms, options);
  const effects = effectsOn(terms, weights);
  return kinds.map(({ kind }, index) => ({
    kind,
    parts: terms.flatMap((own, at) => (own.kind === index ? [{ part: own.part, weight: weights[at] ?? 0 }] : [])),
    spread: spreadOf(rows, effects, terms[index]?.column ?? effects),
  }));
}

/** The terms with the best of these parts of one kind, or without any: judged on zones that were held out. */
function withBest(
  rows: EventRows,
  terms: readonly Term[],
  candidates: readonly Term[],
  options: Omit<FitOptions, 'without'>,
): Term[] {
  const during = terms[candidates[0]?.kind ?? 0]?.column;
  const own = [...new Set(rows.zone.filter((_, row) => (during?.[row] ?? 0) !== 0))];
  const count = Math.min(MOST_FOLDS, own.length);
  if (count < 2) return [...terms];
  const foldOf = new Map(own.map((zone, index) => [zone, index % count]));
  const errorsOf = (used: readonly Term[]): Float64Array => {
    const errors = new Float64Array(rows.step.length);
    for (let fold = 0; fold < count; fold++) {
      const weights = fitTerms(rows, used, { ...options, without: (zone) => foldOf.get(zone) === fold });
      const effects = effectsOn(used, weights);
      for (const [row, zone] of rows.zone.entries()) {
        if (foldOf.get(zone) !== fold) continue;
        errors[row] = Math.abs((rows.came[row] ?? 0) - (rows.usual[row] ?? 0) * Math.exp(effects[row] ?? 0));
      }
    }
    return errors;
  };
  const plain = errorsOf(terms);
  let best: { terms: Term[]; gain: number } = { terms: [...terms], gain: 0 };
  for (const candidate of candidates) {
    const extended = [...terms, candidate];
    const { gain, touched, better } = gainOf(rows, plain, errorsOf(extended), candidate, foldOf);
    if (gain > Math.max(best.gain, LEAST_GAIN * touched) && 2 * better > count) best = { terms: extended, gain };
  }
  return best.terms;
}

/** Error saved in all, error before on the steps that the part touches, groups that were told better. */
function gainOf(
  rows: EventRows,
  before: Float64Array,
  after: Float64Array,
  { column }: Term,
  foldOf: ReadonlyMap<number, number>,
): { gain: number; touched: number; better: number } {
  const gains = new Map<number, number>();
  let touched = 0;
  for (const [row, zone] of rows.zone.entries()) {
    const fold = foldOf.get(zone);
    if (fold === undefined) continue;
    gains.set(fold, (gains.get(fold) ?? 0) + (before[row] ?? 0) - (after[row] ?? 0));
    if (Math.abs(column[row] ?? 0) > TOUCHES) touched += before[row] ?? 0;
  }
  const all = [...gains.values()];
  return { gain: all.reduce((sum, gain) => sum + gain, 0), touched, better: all.filter((gain) => gain > 0).length };
}

/** From what came of each zone beside what was told, while the kind's events lasted. */
function spreadOf(rows: EventRows, effects: Float64Array, during: Float64Array): number {
  const zones = new Map<number, { came: number; told: number }>();
  for (const [row, zone] of rows.zone.entries()) {
    if ((during[row] ?? 0) === 0) continue;
    const { came, told } = zones.get(zone) ?? { came: 0, told: 0 };
    const expected = (rows.usual[row] ?? 0) * Math.exp(effects[row] ?? 0);
    zones.set(zone, { came: came + (rows.came[row] ?? 0), told: told + expected });
  }
  const off = [...zones.values()].flatMap(({ came, told }) => (came > 0 && told > 0 ? [Math.log(came / told)] : []));
  const squares = off.reduce((sum, value) => sum + value * value, 0);
  // One degree of freedom went into the effect itself.
  const unbiased = off.length > 1 ? (squares * off.length) / (off.length - 1) : squares;
  const variance = (unbiased + SPREAD_PRIOR_WORTH * SPREAD_PRIOR ** 2) / (off.length + SPREAD_PRIOR_WORTH);
  return Math.sqrt(variance * (1 + 1 / Math.max(1, off.length)));
}
