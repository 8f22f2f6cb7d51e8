import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyMetrics } from '../adapters/metrics/copy.js';
import { createInfluxMetricsStore } from '../adapters/metrics/influx/store.js';
import { measurementsOfInflux, measurementsOfSqlite } from '../adapters/metrics/measurements.js';
import { influxConfig } from '../adapters/metrics/metricsConfig.js';
import { tokenReader } from '../adapters/metrics/token.js';
import type { MetricsStore } from '../adapters/metrics/port.js';
import { createSqliteMetricsStore } from '../adapters/metrics/sqlite.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { workerConfig } from '../workers/config.js';
import { EXIT, printJson, refuse } from './output.js';

interface Place {
  open(): MetricsStore;
  measurements(): Promise<readonly string[]>;
  close(): void;
}

/** `psmg metrics copy`: exit code 1 when not every value arrived. */
export async function runCopy(options: { from: string; to: string; format: 'text' | 'json' }): Promise<void> {
  const [from, to] = [placeOf('--from', options.from), placeOf('--to', options.to)];
  const problems = [from, to].flatMap((place): readonly Problem[] => (place.ok ? [] : place.problems));
  if (options.from === options.to) {
    problems.push({ code: 'option', field: '--to', message: 'is the store of --from', expected: 'another store' });
  }
  if (options.from.startsWith('sqlite:') && !existsSync(options.from.slice(7))) {
    problems.push({ code: 'no-file', field: '--from', message: `there is no file ${options.from.slice(7)}` });
  }
  if (!from.ok || !to.ok || problems.length > 0) return refuse(problems, options.format);
  const source = from.value.open();
  const target = to.value.open();
  try {
    const measurements = await from.value.measurements();
    const progress = (line: string): void => void process.stderr.write(`${line}\n`);
    const result = await copyMetrics({ source, measurements, target, progress, sleep: (ms) => sleep(ms) });
    if (result.stopped !== null || result.pointsStored !== result.pointsIn) process.exitCode = EXIT.notSo;
    if (options.format === 'json') return printJson({ measurements, ...result });
    const { rows, pointsIn, pointsStored } = result;
    const said = `${pointsIn} values in ${rows} rows read, ${pointsStored} stored exactly`;
    process.stdout.write(result.stopped === null ? `${said}\n` : `stopped: ${result.stopped}\n`);
  } finally {
    await Promise.all([source.close(), target.close()]);
    from.value.close();
    to.value.close();
  }
}

function placeOf(field: string, text: string): Result<Place> {
  const [kind, rest = ''] = splitOnce(text);
  if (kind === 'sqlite' && rest !== '') {
    const value: Place = {
      open: () => createSqliteMetricsStore(rest),
      measurements: async () => Promise.resolve(measurementsOfSqlite(rest)),
      close: () => undefined,
    };
    return { ok: true, value, warnings: [] };
  }
  if (kind === 'influxdb') return influxPlace(rest === '' ? 'PSMG_INFLUX' : rest);
  const expected = 'sqlite:FILE or influxdb:PREFIX';
  return { ok: false, problems: [{ code: 'option', field, message: `is ${JSON.stringify(text)}`, expected }] };
}

function influxPlace(prefix: string): Result<Place> {
  const config = influxConfig(process.env, prefix);
  if (!config.ok) return config;
  const { stateDirectory, variable } = workerConfig(process.env, process.cwd());
  const target = { ...config.value, token: tokenReader(config.value, variable), timeoutMs: 30_000 };
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  let queueDirectory: string | null = null;
  const value: Place = {
    open() {
      // A worker may hold its own queue; what a copy leaves in this one is read again from the source.
      mkdirSync(stateDirectory, { recursive: true });
      queueDirectory = mkdtempSync(path.join(stateDirectory, 'metrics-copy-'));
      return createInfluxMetricsStore({ ...target, queueDirectory, log });
    },
    measurements: () => measurementsOfInflux(target),
    close: () => {
      if (queueDirectory !== null) rmSync(queueDirectory, { recursive: true, force: true });
    },
  };
  return { ok: true, value, warnings: [] };
}

function splitOnce(text: string): readonly string[] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}
