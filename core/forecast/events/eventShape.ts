/** One time that a kind of event happened or will, in steps from the start of the history; fractions are parts of a step. */
export interface Occurrence {
  start: number;
  end: number;
  /** Stated effect in units of the mean size of the kind's stated effects; 1 where they are not known. */
  height: number;
}

/**
 * A part of what an event does. `during`: while it lasts. `onset`: more (or less) of it in the beginning, fading over
 * `steps`. `before`: the same over the last `steps` ahead of the start. `ramp`: rising over these. `after`: fading with
 * the time constant `steps` from the end on.
 */
export interface ShapePart {
  name: 'during' | 'onset' | 'before' | 'ramp' | 'after';
  steps: number;
}

export const DURING: ShapePart = { name: 'during', steps: 0 };
/** Time constants behind the end after which nothing is left of an event. */
const FADED = 4;
/** Shares of the shortest season before and after an event in which it may act: no part below reaches farther. */
export const ZONE_BEFORE = 3 / 2;
export const ZONE_AFTER = 2;

/** How much of a part each step sees, from index 0 on. Occurrences at once do not add up: the strongest counts. */
export function shapeColumn(part: ShapePart, occurrences: readonly Occurrence[], length: number): Float64Array {
  const column = new Float64Array(length);
  for (const occurrence of occurrences) {
    const [from, to] = reach(part, occurrence);
    const last = Math.min(length - 1, Math.ceil(to) - 1);
    for (let step = Math.max(0, Math.floor(from)); step <= last; step++) {
      const [left, right] = [Math.max(from, step), Math.min(to, step + 1)];
      const share = (right - left) * strength(part, occurrence, (left + right) / 2);
      if (Math.abs(share) > Math.abs(column[step] ?? 0)) column[step] = share;
    }
  }
  return column;
}

function reach({ name, steps }: ShapePart, { start, end }: Occurrence): [number, number] {
  switch (name) {
    case 'during':
    case 'onset':
      return [start, end];
    case 'before':
    case 'ramp':
      return [start - steps, start];
    case 'after':
      return [end, end + FADED * steps];
  }
}

function strength({ name, steps }: ShapePart, { start, end, height }: Occurrence, at: number): number {
  switch (name) {
    case 'during':
    case 'before':
      return height;
    case 'onset':
      return height * Math.exp((start - at) / steps);
    case 'ramp':
      return height * (1 - (start - at) / steps);
    case 'after':
      return height * Math.exp((end - at) / steps);
  }
}

/** Parts that a history may show beside `during`, in the order to try them; one of each list at most. */
export function partsToTry(shortestSeason: number): (readonly ShapePart[])[] {
  const lengths = (name: ShapePart['name'], shares: readonly number[]): ShapePart[] =>
    shares.map((share) => ({ name, steps: share * shortestSeason })).filter(({ steps }) => steps >= 1);
  return [
    lengths('after', [1 / 12, 1 / 6, 1 / 4, 5 / 12, 2 / 3]),
    lengths('before', [1 / 2, 1, 3 / 2]),
    lengths('ramp', [1 / 12, 1 / 6, 1 / 3]),
    lengths('onset', [1 / 8, 1 / 3]),
  ];
}
