import type { DemandForecast, ForecastSeries } from '../core/spec/forecast.js';

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const MAX_ROWS = 24;

/** The forecast for a person's eyes: what it rests on, a chart of p50 and p95, and the numbers (thinned when many). */
export function forecastTable(forecast: DemandForecast): string {
  const blocks = forecast.series.map(seriesTable);
  const notes = forecast.notes.map((note) => `note: ${note}`);
  return [...blocks, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n') + '\n';
}

function seriesTable(series: ForecastSeries): string {
  const { p50, p90, p95, p99 } = series.quantiles;
  const top = Math.max(...p95);
  const models = series.models.map(
    (model) =>
      `${model.name} ${model.mase.toFixed(2)}${model.weight > 0 ? ` (weight ${model.weight.toFixed(2)})` : ''}`,
  );
  const every = Math.ceil(series.timestamps.length / MAX_ROWS);
  const rows = series.timestamps.flatMap((timestamp, index) =>
    index % every === 0 ? [[timestamp, ...[p50, p90, p95, p99].map((values) => (values[index] ?? 0).toFixed(2))]] : [],
  );
  return [
    `${series.service}: trust ${series.trust} (${series.trustReason})`,
    `  MASE: ${models.join(', ')}`,
    `  p50 ${sparkline(p50, top)}`,
    `  p95 ${sparkline(p95, top)}  peak ${top.toFixed(2)} rps`,
    ...columns([['start', 'p50 rps', 'p90', 'p95', 'p99'], ...rows]).map((line) => `  ${line}`),
    ...(every > 1 ? [`  (every ${every} steps of ${series.step}; all of them with --format json)`] : []),
  ].join('\n');
}

/** One character a value, at most a line of them: the largest of each stretch, since peaks are what matters. */
function sparkline(values: readonly number[], top: number): string {
  const width = Math.min(values.length, 96);
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / width));
    const share = top > 0 ? Math.max(...values.slice(from, to)) / top : 0;
    return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(share * BLOCKS.length))] ?? '█';
  }).join('');
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
