import type { TickService } from '../../activities/contract.js';

/** Forecast against actual by service, as the last tick saw it. */
export function serviceTable(services: readonly TickService[]): string[] {
  const head = ['service', 'rps', 'p50', 'p95', 'p99 ms', 'errors', '429'];
  const rows = services.map((s) => [
    s.service,
    fixed(s.rps),
    fixed(s.forecastP50),
    fixed(s.forecastP95),
    fixed(s.p99Ms, 0),
    s.errorRate === null ? '–' : `${(s.errorRate * 100).toFixed(2)} %`,
    String(s.rateLimited),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  return [head, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

function fixed(value: number | null, digits = 1): string {
  return value === null ? '–' : value.toFixed(digits);
}
