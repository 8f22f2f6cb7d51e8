import { markdownTable } from '../markdown.js';
import { median, quantile } from '../statistics.js';
import type { Figures } from './figures.js';
import type { Load } from './loads.js';

export type FigureName = 'p50Ms' | 'p99Ms' | 'goodputRps' | 'errorPercent';

/** One figure of one load: what real Envoys showed, and the twin. */
export interface Cell {
  load: string;
  figure: FigureName;
  real: readonly number[];
  twin: readonly number[];
  /** Twin less real: percent of the real, points for error rates. */
  off: number;
  /** What chance alone makes of it in 19 of 20 measurements, were the twin perfect: from the spread of its own runs. */
  chance: number;
  /** Absent: nothing is promised of it. */
  allowed?: number;
  within?: boolean;
}

const ALLOWED: Readonly<Record<FigureName, number>> = { p50Ms: 15, p99Ms: 15, goodputRps: 10, errorPercent: 0.5 };
/** Standard error of a median over that of a mean, of a few normal values. */
const MEDIAN_OVER_MEAN = 1.25;
const WORDS: Readonly<Record<FigureName, string>> = {
  p50Ms: 'p50, ms',
  p99Ms: 'p99, ms',
  goodputRps: 'goodput, rps',
  errorPercent: 'errors, %',
};

export function cellsOf(
  load: Pick<Load, 'name' | 'judged'>,
  real: readonly Figures[],
  twin: readonly Figures[],
): Cell[] {
  const figures: FigureName[] =
    load.judged === 'latency' ? ['p50Ms', 'p99Ms', 'errorPercent'] : ['goodputRps', 'errorPercent', 'p50Ms', 'p99Ms'];
  return figures.map((figure) => {
    const isPromised = figure === 'errorPercent' || (load.judged === 'latency') === figure.endsWith('Ms');
    return cellOf(load.name, figure, real, twin, isPromised);
  });
}

function cellOf(
  load: string,
  figure: FigureName,
  realRuns: readonly Figures[],
  twinRuns: readonly Figures[],
  isPromised: boolean,
): Cell {
  const real = realRuns.map((run) => run[figure]);
  const twin = twinRuns.map((run) => run[figure]);
  const [seen, simulated] = [median(real), median(twin)];
  const off = figure === 'errorPercent' ? simulated - seen : 100 * (simulated / seen - 1);
  const spread = (1.96 * deviation(twin) * MEDIAN_OVER_MEAN) / Math.sqrt(Math.max(1, real.length));
  const chance = figure === 'errorPercent' ? spread : (100 * spread) / seen;
  const allowed = ALLOWED[figure];
  // Without a single run that counts nothing is within anything.
  const verdict = isPromised ? { allowed, within: Math.abs(off) <= allowed } : {};
  return { load, figure, real, twin, off, chance, ...verdict };
}

export function cellTable(cells: readonly Cell[]): string {
  const header = ['load', 'figure', 'real', 'least–most', 'twin', '5–95 % of its runs', 'off', 'chance', 'verdict'];
  const rows = cells.map((cell) => {
    const { load, figure, real, twin, off, chance } = cell;
    const digits = figure === 'errorPercent' ? 2 : 1;
    const unit = figure === 'errorPercent' ? ' points' : ' %';
    return [
      load,
      WORDS[figure],
      shown(median(real), digits),
      `${shown(Math.min(...real), digits)}–${shown(Math.max(...real), digits)}`,
      shown(median(twin), digits),
      `${shown(quantile(twin, 0.05), digits)}–${shown(quantile(twin, 0.95), digits)}`,
      Number.isFinite(off) ? `${off >= 0 ? '+' : '−'}${Math.abs(off).toFixed(digits)}${unit}` : 'void',
      `±${shown(chance, digits)}`,
      verdictOf(cell),
    ];
  });
  return markdownTable([header, ...rows], 2);
}

function verdictOf({ allowed, within, off, chance }: Cell): string {
  if (allowed === undefined) return '–';
  if (within === true) return `within ${allowed}`;
  return Math.abs(off) <= chance ? `beyond ${allowed}, may be chance` : `**beyond ${allowed}**`;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}

/** How many of what is promised is kept, by figure. */
export function summaryOf(cells: readonly Cell[]): string {
  const figures: FigureName[] = ['p50Ms', 'p99Ms', 'goodputRps', 'errorPercent'];
  return figures
    .map((figure) => {
      const promised = cells.filter((cell) => cell.figure === figure && cell.allowed !== undefined);
      const kept = promised.filter(({ within }) => within === true).length;
      return `${WORDS[figure].split(',')[0]} ${kept} of ${promised.length}`;
    })
    .join(', ');
}

function shown(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}
