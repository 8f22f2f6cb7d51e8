import type { ForecastSeries } from '../core/spec/forecast.js';

export interface ChartInput {
  series: ForecastSeries;
  /** Demand before the forecast, oldest first, in steps of the forecast; it ends where that begins. */
  history: readonly number[];
  /** Events that touch history or horizon, by steps from the beginning of the forecast (negative: before it). */
  events: readonly { kind: string; fromStep: number; toStep: number }[];
  columns: number;
  rows: number;
}

const MARKS = { history: '•', p50: '─', p80: '▓', p95: '▒', p99: '░' } as const;
const LEAST_COLUMNS = 40;
/** Event kinds that get a line of their own under the chart. */
const MOST_KINDS = 6;

/** One column of the chart: the highest of the steps that fall into it, since peaks are what matters. */
interface Column {
  history?: number;
  p50?: number;
  p80?: number;
  p95?: number;
  p99?: number;
}

/**
 * History and forecast as text: what came as dots, p50 as a line, and above it the fan to p80, p95 and p99. Rates on the
 * left, times below, and a line for each kind of event that touches the span.
 */
export function forecastChart(input: ChartInput): string {
  const { series, history, events } = input;
  const { p99 } = series.quantiles;
  const steps = history.length + p99.length;
  const top = Math.max(...history, ...p99);
  if (p99.length === 0 || !(top > 0)) return `${series.service}: nothing but zero\n`;
  const labels = [top, top / 2, 0].map(rps);
  const margin = Math.max(...labels.map((label) => label.length)) + 1;
  const width = Math.min(steps, Math.max(LEAST_COLUMNS, input.columns - margin - 1));
  const columns = Array.from({ length: width }, (_, index) => columnOf(input, stretch(index, width, steps)));
  const lines = Array.from({ length: input.rows }, (_, row) => {
    const middle = Math.round((input.rows - 1) / 2);
    const label = row === 0 ? labels[0] : row === middle ? labels[1] : row === input.rows - 1 ? labels[2] : '';
    const from = top * (1 - (row + 1) / input.rows);
    const to = top * (1 - row / input.rows);
    return `${(label ?? '').padStart(margin)}│${columns
      .map((column) => mark(column, from, to, top))
      .join('')
      .trimEnd()}`;
  });
  const now = Math.floor((history.length * width) / steps);
  const axis = `${' '.repeat(margin)}└${Array.from({ length: width }, (_, at) => (at === now ? '┴' : '─')).join('')}`;
  const indent = ' '.repeat(margin + 1);
  return [
    ...lines,
    axis,
    `${indent}${times(series, width, now)}`,
    ...eventLines(events, history.length, steps, width).map((line) => `${indent}${line}`),
    `${indent}${MARKS.history} came  ${MARKS.p50} p50  ${MARKS.p80} to p80  ${MARKS.p95} to p95  ${MARKS.p99} to p99 (rps)`,
    '',
  ].join('\n');
}

function stretch(index: number, width: number, steps: number): { from: number; to: number } {
  const from = Math.floor((index * steps) / width);
  return { from, to: Math.max(from + 1, Math.floor(((index + 1) * steps) / width)) };
}

function columnOf({ series, history }: ChartInput, { from, to }: { from: number; to: number }): Column {
  const past = history.slice(from, to);
  const highest = (values: readonly number[]): number =>
    Math.max(...values.slice(Math.max(0, from - history.length), Math.max(0, to - history.length)));
  const { p50, p80, p95, p99 } = series.quantiles;
  return {
    ...(past.length > 0 ? { history: Math.max(...past) } : {}),
    ...(to > history.length ? { p50: highest(p50), p80: highest(p80), p95: highest(p95), p99: highest(p99) } : {}),
  };
}

/** What a cell shows that stands for rates above `from` and up to `to`; the lowest row holds zero as well. */
function mark({ history, p50, p80, p95, p99 }: Column, from: number, to: number, top: number): string {
  const isIn = (value: number | undefined): boolean =>
    value !== undefined && value <= to + 1e-12 * top && (value > from || (from <= 0 && value >= 0));
  if (isIn(history)) return MARKS.history;
  if (p50 === undefined || p80 === undefined || p95 === undefined || p99 === undefined) return ' ';
  if (isIn(p50)) return MARKS.p50;
  if (to < p50 || from >= p99) return ' ';
  if (from < p80) return MARKS.p80;
  return from < p95 ? MARKS.p95 : MARKS.p99;
}

/** Beginning and end of the forecast, under their columns. */
function times({ timestamps }: ForecastSeries, width: number, now: number): string {
  const [first, last] = [timestamps[0], timestamps.at(-1)].map((time) => (time ?? '').slice(0, 16).replace('T', ' '));
  const start = `↑ ${first ?? ''}`;
  const room = width - now - start.length - 2;
  return `${' '.repeat(now)}${start}${room > (last ?? '').length ? (last ?? '').padStart(width - now - start.length) : ''}`;
}

function eventLines(events: ChartInput['events'], pastSteps: number, steps: number, width: number): string[] {
  const kinds = [...new Set(events.map((event) => event.kind))];
  const lines = kinds.slice(0, MOST_KINDS).map((kind) => {
    const own = events.filter((event) => event.kind === kind);
    const covered = Array.from({ length: width }, (_, index) => {
      const { from, to } = stretch(index, width, steps);
      return own.some((event) => event.fromStep + pastSteps < to && event.toStep + pastSteps > from) ? '▔' : ' ';
    });
    return `${covered.join('')} ${kind}`;
  });
  return kinds.length > MOST_KINDS ? [...lines, `… and ${kinds.length - MOST_KINDS} more kinds of events`] : lines;
}

function rps(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
