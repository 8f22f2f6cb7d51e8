import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { locatePart } from '../scripts/parts/locate.js';
import { waitFor } from './http.js';
import { freePortRange, preferPort } from './ports.js';
import { startProcess } from './processes.js';

export interface TemporalOptions {
  /** Histories are kept here; absent: in memory, which is several times faster. */
  dbFile?: string;
  ui: boolean;
  /** Ports that Temporal's tools take by default (7233, UI 8233) where they are free; absent: any free ones. */
  defaultPorts?: boolean;
  logFile: string;
  /** A server that runs already; absent: `TEMPORAL_ADDRESS`. It is used as it is and never stopped. */
  address?: string;
  /** Where the process is recorded for a later clean-up; absent: beside the log. */
  folder?: string;
}

export interface TemporalServer {
  address: string;
  uiUrl?: string;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const NAMESPACE = 'default';
const HEALTHY_WITHIN_MS = 30_000;
export const SEARCH_ATTRIBUTES = ['PsmgRegion', 'PsmgPhase', 'PsmgBlockedReason'] as const;

const run = promisify(execFile);

/** A Temporal development server on free ports of the loopback interface, healthy when this resolves. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const existing = options.address ?? process.env['TEMPORAL_ADDRESS'];
  if (existing !== undefined && existing !== '') {
    return { address: existing, stop: async () => Promise.resolve() };
  }
  const temporal = locatePart('temporal');
  const ports = await choosePorts(options.defaultPorts ?? false);
  const { port } = ports;
  const address = `${LOOPBACK}:${port}`;
  if (options.dbFile !== undefined) mkdirSync(path.dirname(options.dbFile), { recursive: true });
  mkdirSync(path.dirname(options.logFile), { recursive: true });
  const server = startProcess(options.folder ?? path.dirname(options.logFile), {
    name: `temporal-${port}`,
    command: temporal,
    args: serverArgs(options, ports),
    logFile: options.logFile,
  });
  try {
    await waitFor(`Temporal at ${address} (see ${options.logFile})`, HEALTHY_WITHIN_MS, async () => {
      if (!server.isRunning()) throw new Error('the server ended');
      const { stdout } = await run(temporal, [
        'operator',
        'search-attribute',
        'list',
        ...['--address', address, '--namespace', NAMESPACE, '--command-timeout', '3s'],
      ]);
      return SEARCH_ATTRIBUTES.every((name) => stdout.includes(name));
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    address,
    ...(options.ui ? { uiUrl: `http://${LOOPBACK}:${ports.ui}` } : {}),
    stop: async () => server.stop(10_000),
  };
}

interface ServerPorts {
  port: number;
  ui: number;
  http: number;
  metrics: number;
}

async function choosePorts(defaults: boolean): Promise<ServerPorts> {
  const first = await freePortRange(4);
  const [port, ui] = defaults ? [await preferPort(7233), await preferPort(8233)] : [first, first + 1];
  return { port, ui, http: first + 2, metrics: first + 3 };
}

function serverArgs(options: TemporalOptions, ports: ServerPorts): readonly string[] {
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(ports.port), '--namespace', NAMESPACE],
    ...['--http-port', String(ports.http), '--metrics-port', String(ports.metrics), '--log-level', 'warn'],
    ...(options.ui ? ['--ui-port', String(ports.ui), '--ui-disable-news-fetch'] : ['--headless']),
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    // Without it a timer of a second may take two.
    ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
  ];
}
