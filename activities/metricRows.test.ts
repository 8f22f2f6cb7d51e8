import { describe, expect, it } from '@jest/globals';
import { metricRows, ownWindows } from './metricRows.js';
import { windowOf } from '../core/tuning/ownWindows.js';
import { QUIET, observation, seen } from '../core/tuning/fixtures.js';

const forecast = { p50Rps: 40, p95Rps: 60, relativeError: 0.25, aboveP95: false };
const at = Date.parse('2026-01-01T00:00:10.000Z');

describe('metricRows', () => {
  it('writes one row a service and one of the region, with nothing but finite numbers', () => {
    const whole = seen('shop', { forecast, cpuCores: 2, memoryMiB: 300, saturation: { busy: 0.5, cpu: 0.25 } });
    const contradictions = [{ service: 'shop', quantity: 'rps', proxies: 50, other: 1, reason: 'apart' }] as const;
    const rows = metricRows({ ...observation([whole, seen('pay')]), contradictions, problems: ['one'] });
    expect(rows.map(({ measurement, tags }) => [measurement, tags])).toEqual([
      ['service', { region: 'here', service: 'shop' }],
      ['service', { region: 'here', service: 'pay' }],
      ['region', { region: 'here' }],
    ]);
    expect(rows.every((row) => row.at === at && Object.values(row.fields).every(Number.isFinite))).toBe(true);
    expect(rows[0]?.fields).toMatchObject({
      rps: 50,
      forecast_rps: 40,
      forecast_p95_rps: 60,
      forecast_error: 0.25,
      above_p95: 0,
      busy_share: 0.5,
      cpu_share: 0.25,
      local_share: 1,
      contradictions: 1,
    });
    expect(rows[1]?.fields['contradictions']).toBe(0);
    expect(rows[2]?.fields).toEqual({ completeness: 1, age_seconds: 0, proxies: 2, problems: 1, contradictions: 1 });
  });

  it('leaves out what is not known, and never writes a zero for it', () => {
    const quiet = seen('shop', {
      ...QUIET,
      readyInstances: null,
      readyInstancesMost: null,
      saturation: { busy: null, cpu: null },
    });
    const [row, region] = metricRows({ ...observation([quiet]), ageSeconds: null });
    const unknown = [
      'error_rate',
      'p50_ms',
      'p99_ms',
      'p99_error_ms',
      'ready_instances',
      'busy_share',
      'cpu_cores',
      'local_share',
      'forecast_rps',
      'above_p95',
    ];
    expect(Object.keys(row?.fields ?? {}).filter((field) => unknown.includes(field))).toEqual([]);
    expect(row?.fields).toMatchObject({ requests: 0, rps: 0, completeness: 1 });
    expect(region?.fields).not.toHaveProperty('age_seconds');
  });
});

it('tells of the same windows when it is read again, and not of those that are partial', () => {
  const whole = seen('shop', { ageSeconds: 2, errorRate: 0.5 });
  const rows = metricRows(observation([whole, seen('part', { completeness: 0.5 })]));
  expect(ownWindows(rows)).toEqual([windowOf(whole, Date.parse(observation([]).at))]);
});
