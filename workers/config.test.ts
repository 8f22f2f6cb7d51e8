import { describe, expect, it } from '@jest/globals';
import { workerConfig } from './config.js';

describe('workerConfig', () => {
  it('has a default for everything, below the working directory', () => {
    expect(workerConfig({}, '/srv/psmg')).toEqual({
      trainNetworks: true,
      metrics: { kind: 'sqlite' },
      variable: expect.any(Function),
      taskQueue: 'psmg',
      deployment: null,
      stateDirectory: '/srv/psmg/.psmg',
      dataDirectory: '/srv/psmg',
      healthPort: 0,
      healthAddress: '127.0.0.1',
      sdkMetricsPort: 0,
      log: { format: 'json', level: 'info' },
      tracing: null,
      stickyTimeoutMs: 5000,
    });
  });

  it('takes what the environment says, absolute paths as they are', () => {
    const config = workerConfig({ PSMG_STATE: '/var/lib/psmg', PSMG_DATA: 'data', PSMG_HEALTH_PORT: '8080' }, '/srv');
    expect(config).toMatchObject({ stateDirectory: '/var/lib/psmg', dataDirectory: '/srv/data', healthPort: 8080 });
  });

  it('logs as text to a person at a terminal, unless it is told otherwise', () => {
    expect(workerConfig({}, '/srv', true).log.format).toBe('text');
    expect(workerConfig({ PSMG_LOG: 'json', PSMG_LOG_LEVEL: 'debug' }, '/srv', true).log).toEqual({
      format: 'json',
      level: 'debug',
    });
  });

  it('sends traces when OpenTelemetry has an address to send them to, under its standard variables', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
    expect(workerConfig(endpoint, '/srv').tracing).toEqual({ serviceName: 'psmg-worker' });
    expect(workerConfig({ ...endpoint, OTEL_SERVICE_NAME: 'west' }, '/srv').tracing).toEqual({ serviceName: 'west' });
    expect(workerConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1/x' }, '/srv').tracing).not.toBeNull();
    expect(workerConfig({ ...endpoint, OTEL_SDK_DISABLED: 'true' }, '/srv').tracing).toBeNull();
  });

  it('refuses a word that is none of those allowed, and names the variable', () => {
    expect(() => workerConfig({ PSMG_LOG: 'xml' }, '/srv')).toThrow(/PSMG_LOG must be one of json, text, not "xml"/);
  });

  it('refuses a number that is none, and names the variable', () => {
    expect(() => workerConfig({ PSMG_HEALTH_PORT: 'http' }, '/srv')).toThrow(/PSMG_HEALTH_PORT must be a whole number/);
  });

  it('names everything that InfluxDB lacks at once, and never the token', () => {
    const half = { PSMG_METRICS: 'influxdb', PSMG_INFLUX_URL: 'nowhere', PSMG_INFLUX_TOKEN: 'very-secret' };
    expect(() => workerConfig(half, '/srv')).toThrow(/PSMG_INFLUX_URL[^]*PSMG_INFLUX_ORG[^]*PSMG_INFLUX_BUCKET/);
    expect(() => workerConfig(half, '/srv')).not.toThrow(/very-secret/);
  });
});
