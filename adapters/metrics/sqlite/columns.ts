/** Rows of one series: times ascending and distinct, and by field id one value a time, NaN where there is none. */
export interface Columns {
  times: Float64Array;
  values: ReadonlyMap<number, Float64Array>;
}

export const EMPTY: Columns = { times: new Float64Array(0), values: new Map() };

/** Takes rows of one series in the order in which they were written. */
export class ColumnsBuilder {
  #length = 0;
  #times = new Float64Array(FIRST_LENGTH);
  readonly #values = new Map<number, Float64Array>();
  // Rows that follow each other mostly have the same fields: their columns are not looked up again.
  #fields: ArrayLike<number> = [];
  #columns: Float64Array[] = [];

  /** The row's values begin at `numbers[offset]`, in the order of `fields`. */
  add(at: number, fields: ArrayLike<number>, numbers: Float64Array, offset: number): void {
    const n = this.#length;
    if (n === this.#times.length) this.#grow();
    this.#times[n] = at;
    if (!sameFields(fields, this.#fields)) this.#select(fields);
    for (let i = 0; i < this.#columns.length; i += 1) {
      const column = this.#columns[i];
      if (column !== undefined) column[n] = numbers[offset + i] ?? Number.NaN;
    }
    this.#length = n + 1;
  }

  columns(): Columns {
    const times = this.#times.subarray(0, this.#length);
    const values = new Map([...this.#values].map(([field, column]) => [field, column.subarray(0, this.#length)]));
    return sorted({ times, values });
  }

  #select(fields: ArrayLike<number>): void {
    this.#fields = fields;
    this.#columns = Array.from(fields, (field) => {
      let column = this.#values.get(field);
      if (column === undefined) {
        column = new Float64Array(this.#times.length).fill(Number.NaN);
        this.#values.set(field, column);
      }
      return column;
    });
  }

  #grow(): void {
    const length = this.#times.length * 2;
    const longer = (numbers: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(length).fill(Number.NaN, numbers.length);
      grown.set(numbers);
      return grown;
    };
    this.#times = longer(this.#times);
    for (const [field, column] of this.#values) this.#values.set(field, longer(column));
    this.#select(this.#fields);
  }
}

const FIRST_LENGTH = 64;

function sameFields(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** All times of both; where both have a value, that of `newer`. */
export function mergeColumns(older: Columns, newer: Columns): Columns {
  if (older.times.length === 0) return newer;
  if (newer.times.length === 0) return older;
  return sorted(concatColumns([older, newer]));
}

/** The parts one after the other; their times must ascend for the whole to be `Columns`. */
function concatColumns(parts: readonly Columns[]): Columns {
  const length = parts.reduce((n, part) => n + part.times.length, 0);
  const times = new Float64Array(length);
  const values = new Map<number, Float64Array>();
  let offset = 0;
  for (const part of parts) {
    times.set(part.times, offset);
    for (const [field, column] of part.values) {
      let whole = values.get(field);
      if (whole === undefined) values.set(field, (whole = new Float64Array(length).fill(Number.NaN)));
      whole.set(column, offset);
    }
    offset += part.times.length;
  }
  return { times, values };
}

/** Rows with from ≤ time < to, sharing memory with `columns`. */
export function sliceColumns(columns: Columns, fromMs: number, toMs: number): Columns {
  const { times, values } = columns;
  const [low, high] = [firstAtOrAfter(times, fromMs), firstAtOrAfter(times, toMs)];
  if (low === 0 && high === times.length) return columns;
  if (low >= high) return EMPTY;
  return {
    times: times.subarray(low, high),
    values: new Map([...values].map(([field, column]) => [field, column.subarray(low, high)])),
  };
}

/** By begin of stretches of `everyMs`, in time order. */
export function splitColumns(columns: Columns, everyMs: number): Map<number, Columns> {
  const parts = new Map<number, Columns>();
  const { times } = columns;
  for (let i = 0; i < times.length;) {
    const start = floorTo(times[i] ?? 0, everyMs);
    parts.set(start, sliceColumns(columns, start, start + everyMs));
    i = firstAtOrAfter(times, start + everyMs);
  }
  return parts;
}

export function floorTo(at: number, everyMs: number): number {
  return Math.floor(at / everyMs) * everyMs;
}

function firstAtOrAfter(times: Float64Array, at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Equal times become one row, in which the later value of a field wins. */
function sorted({ times, values }: Columns): Columns {
  if (isAscending(times)) return { times, values };
  const order = Uint32Array.from(times.keys()).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
  const target = new Uint32Array(order.length);
  let rows = 0;
  for (let i = 0; i < order.length; i += 1) {
    if (i > 0 && times[order[i] ?? 0] !== times[order[i - 1] ?? 0]) rows += 1;
    target[i] = rows;
  }
  const arrange = (column: Float64Array): Float64Array => {
    const arranged = new Float64Array(rows + 1).fill(Number.NaN);
    for (let i = 0; i < order.length; i += 1) {
      const value = column[order[i] ?? 0] ?? Number.NaN;
      if (!Number.isNaN(value)) arranged[target[i] ?? 0] = value;
    }
    return arranged;
  };
  return { times: arrange(times), values: new Map([...values].map(([field, column]) => [field, arrange(column)])) };
}

function isAscending(times: Float64Array): boolean {
  for (let i = 1; i < times.length; i += 1) if ((times[i] ?? 0) <= (times[i - 1] ?? 0)) return false;
  return true;
}
