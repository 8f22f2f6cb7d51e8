import { describe, expect, it } from '@jest/globals';
import { metricsConfig } from './metricsConfig.js';

const INFLUX = {
  PSMG_METRICS: 'influxdb',
  PSMG_INFLUX_URL: 'http://127.0.0.1:8086/',
  PSMG_INFLUX_ORG: 'eyes',
  PSMG_INFLUX_BUCKET: 'metrics',
};

function fields(environment: Record<string, string>): readonly string[] {
  const result = metricsConfig(environment);
  return result.ok ? [] : result.problems.map((problem) => problem.field);
}

describe('the configuration of the metrics store', () => {
  it('is the embedded store when nothing is said', () => {
    expect(metricsConfig({})).toEqual({ ok: true, value: { kind: 'sqlite' } });
    expect(metricsConfig({ PSMG_METRICS: '' })).toEqual({ ok: true, value: { kind: 'sqlite' } });
  });

  it('names where the token is, and does not hold it', () => {
    const byVariable = metricsConfig({ ...INFLUX, PSMG_INFLUX_TOKEN: 'very-secret' });
    const place = { kind: 'influxdb', url: 'http://127.0.0.1:8086', org: 'eyes', bucket: 'metrics' };
    expect(byVariable).toEqual({ ok: true, value: { ...place, token: { variable: 'PSMG_INFLUX_TOKEN' } } });
    const byFile = metricsConfig({ ...INFLUX, PSMG_INFLUX_TOKEN_FILE: '/run/token' });
    expect(byFile).toEqual({ ok: true, value: { ...place, token: { file: '/run/token' } } });
  });

  it('names everything that is missing at once', () => {
    expect(fields({ PSMG_METRICS: 'influxdb' })).toEqual([
      'PSMG_INFLUX_URL',
      'PSMG_INFLUX_ORG',
      'PSMG_INFLUX_BUCKET',
      'PSMG_INFLUX_TOKEN',
    ]);
  });

  it('names what contradicts itself, and never says a token', () => {
    const twice = { ...INFLUX, PSMG_INFLUX_TOKEN: 'very-secret', PSMG_INFLUX_TOKEN_FILE: '/run/token' };
    expect(fields(twice)).toEqual(['PSMG_INFLUX_TOKEN']);
    expect(JSON.stringify(metricsConfig(twice))).not.toContain('very-secret');
    const inUrl = { ...INFLUX, PSMG_INFLUX_URL: 'http://me:very-secret@host', PSMG_INFLUX_TOKEN: 't' };
    expect(fields(inUrl)).toEqual(['PSMG_INFLUX_URL']);
    expect(JSON.stringify(metricsConfig(inUrl))).not.toContain('very-secret');
  });

  it.each(['influx', 'SQLITE', 'prometheus'])('does not take %s for a store', (kind) => {
    expect(fields({ ...INFLUX, PSMG_METRICS: kind, PSMG_INFLUX_TOKEN: 't' })).toEqual(['PSMG_METRICS']);
  });

  it.each(['127.0.0.1:8086', 'ftp://host', 'host'])('does not take %s for an address', (url) => {
    expect(fields({ ...INFLUX, PSMG_INFLUX_URL: url, PSMG_INFLUX_TOKEN: 't' })).toEqual(['PSMG_INFLUX_URL']);
  });
});
