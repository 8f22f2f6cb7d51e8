import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { locatePinned } from '../scripts/parts/locate.js';
import { becomesAnswering, withLog } from './answering.js';
import { freePort } from './ports.js';
import { startProcess } from './processes.js';
import type { RunningProcess } from './processes.js';

export interface InfluxdOptions {
  /** Folder of its own: data, `logs/` and `pids/`. Data that is there is kept; then the names below must be those of before. */
  directory: string;
  /** Absent: any free one. */
  port?: number;
  /** Of the first user, who may do everything. Absent: `testbed-token`. */
  token?: string;
  org?: string;
  bucket?: string;
}

export interface RunningInfluxd {
  url: string;
  token: string;
  org: string;
  bucket: string;
  /** Of the process that runs now; another after `restart`. */
  readonly pid: number;
  logFile: string;
  /** Lets the server end in its own time; it answers nothing more. */
  stop(): Promise<void>;
  /** Ends the server as a crash does: by SIGKILL. */
  kill(): Promise<void>;
  /** Starts the server again, stopping it first where it runs: same port, same data. Healthy when this resolves. */
  restart(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const HEALTHY_WITHIN_MS = 30_000;
/** It writes what it has in memory to disk before it ends. */
const STOPS_WITHIN_MS = 20_000;
/** For its user interface only, which nobody opens; the shortest that it takes has 8 characters. */
const PASSWORD = 'testbed-password';

/** A real InfluxDB 2.7 with one organisation and bucket, set up and healthy when this resolves. */
export async function startInfluxd(options: InfluxdOptions): Promise<RunningInfluxd> {
  const { directory, token = 'testbed-token', org = 'testbed', bucket = 'testbed' } = options;
  const port = options.port ?? (await freePort());
  const url = `http://${LOOPBACK}:${port}`;
  mkdirSync(directory, { recursive: true });
  let server = await launch(directory, port, url);
  try {
    await onboard(url, { username: 'testbed', password: PASSWORD, org, bucket, token, retentionPeriodSeconds: 0 });
  } catch (error) {
    await server.stop();
    throw withLog(error, server.logFile);
  }
  return {
    url,
    token,
    org,
    bucket,
    get pid() {
      return server.pid;
    },
    logFile: server.logFile,
    stop: () => server.stop(STOPS_WITHIN_MS),
    kill: () => server.stop(0),
    restart: async () => {
      await server.stop(STOPS_WITHIN_MS);
      server = await launch(directory, port, url);
    },
  };
}

async function launch(directory: string, port: number, url: string): Promise<RunningProcess> {
  const server = startProcess(directory, {
    name: 'influxd',
    command: locatePinned('influxd'),
    args: [
      ...['run', '--bolt-path', path.join(directory, 'influxd.bolt')],
      ...['--sqlite-path', path.join(directory, 'influxd.sqlite'), '--engine-path', path.join(directory, 'engine')],
      ...['--http-bind-address', `${LOOPBACK}:${port}`, '--log-level', 'warn'],
      ...['--reporting-disabled', '--ui-disabled'],
    ],
    // It reads a configuration from its working directory where there is one.
    cwd: directory,
  });
  const healthy = { name: 'InfluxDB', state: 'healthy', url: `${url}/health`, withinMs: HEALTHY_WITHIN_MS };
  await becomesAnswering(server, healthy);
  return server;
}

/** Makes the first user, organisation and bucket, once in the life of the data. */
async function onboard(url: string, first: Readonly<Record<string, unknown>>): Promise<void> {
  const asked = await fetch(`${url}/api/v2/setup`);
  if (!((await asked.json()) as { allowed: boolean }).allowed) return;
  const response = await fetch(`${url}/api/v2/setup`, { method: 'POST', body: JSON.stringify(first) });
  if (!response.ok) throw new Error(`InfluxDB's set-up: ${response.status} ${await response.text()}`);
}
