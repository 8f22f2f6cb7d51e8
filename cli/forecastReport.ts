import { eventsFor } from '../core/forecast/events/events.js';
import type { ForecastInput } from '../core/forecast/prepareRegion.js';
import type { DemandForecast, ForecastSeries } from '../core/spec/forecast.js';
import { forecastChart } from './forecastChart.js';

const CHART_ROWS = 12;
const MOST_COLUMNS = 140;
const PLAIN_COLUMNS = 100;
const MAX_ROWS = 24;

/** The forecast for a person's eyes: what it rests on, a chart, sentences, and the numbers (thinned when many). */
export function forecastReport(forecast: DemandForecast, input: ForecastInput): string {
  const blocks = forecast.series.map((series) => seriesReport(series, input));
  const degraded = (forecast.degraded ?? []).map((reason) => `degraded: ${reason}`);
  const notes = forecast.notes.map((note) => `note: ${note}`);
  const told = [...degraded, ...notes];
  return [...blocks, ...(told.length > 0 ? [told.join('\n')] : [])].join('\n\n') + '\n';
}

function seriesReport(series: ForecastSeries, input: ForecastInput): string {
  const { p50, p90, p95, p99 } = series.quantiles;
  const score = series.trustScore === undefined ? '' : `, score ${series.trustScore.toFixed(2)}`;
  const models = series.models.map(
    (model) =>
      `${model.name} ${model.mase.toFixed(2)}${model.weight > 0 ? ` (weight ${model.weight.toFixed(2)})` : ''}`,
  );
  const every = Math.ceil(series.timestamps.length / MAX_ROWS);
  const rows = series.timestamps.flatMap((timestamp, index) =>
    index % every === 0 ? [[timestamp, ...[p50, p90, p95, p99].map((values) => (values[index] ?? 0).toFixed(2))]] : [],
  );
  const chart = chartOf(series, input).split('\n');
  return [
    `${series.service}: trust ${series.trust}${score} (${series.trustReason})`,
    ...indented(series.explanation ?? []),
    `  MASE: ${models.join(', ')}`,
    '',
    ...indented(chart),
    ...indented(columns([['start', 'p50 rps', 'p90', 'p95', 'p99'], ...rows])),
    ...(every > 1 ? [`  (every ${every} steps of ${series.step}; all of them with --format json)`] : []),
  ].join('\n');
}

/** As much history as there is horizon, and at least two of the shortest season. */
function chartOf(series: ForecastSeries, input: ForecastInput): string {
  const stepMs = input.stepSeconds * 1000;
  const startMs = Date.parse(series.timestamps[0] ?? '');
  const wanted = Math.max(series.timestamps.length, 2 * Math.min(...input.seasons));
  const bins = Array.from({ length: wanted }, (): number[] => []);
  for (const row of input.rows) {
    if (row.service !== series.service) continue;
    bins[wanted - Math.ceil((startMs - row.at) / stepMs)]?.push(row.rps);
  }
  const from = bins.findIndex((bin) => bin.length > 0);
  const seen = from < 0 ? [] : bins.slice(from);
  const history = seen.map((bin) => bin.reduce((sum, value) => sum + value, 0) / Math.max(1, bin.length));
  const events = eventsFor(input.events, input.regionName, series.service)
    .map(({ kind, startMs: fromMs, endMs: toMs }) => ({
      kind,
      fromStep: (fromMs - startMs) / stepMs,
      toStep: (toMs - startMs) / stepMs,
    }))
    .filter(({ fromStep, toStep }) => toStep > -history.length && fromStep < series.timestamps.length);
  // Where nobody watches, a fixed width keeps what is written comparable.
  const columnsWide = process.stdout.isTTY ? Math.min(MOST_COLUMNS, process.stdout.columns - 2) : PLAIN_COLUMNS;
  return forecastChart({ series, history, events, columns: columnsWide, rows: CHART_ROWS });
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
