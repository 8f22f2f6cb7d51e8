import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { locatePart } from '../scripts/parts/locate.js';
import { waitFor } from './http.js';
import { freePortRange } from './ports.js';
import { startProcess } from './processes.js';

export interface TemporalOptions {
  /** Histories are kept here; absent: in memory, which is several times faster. */
  dbFile?: string;
  ui: boolean;
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
  const port = await freePortRange(4);
  const address = `${LOOPBACK}:${port}`;
  if (options.dbFile !== undefined) mkdirSync(path.dirname(options.dbFile), { recursive: true });
  mkdirSync(path.dirname(options.logFile), { recursive: true });
  const server = startProcess(options.folder ?? path.dirname(options.logFile), {
    name: `temporal-${port}`,
    command: temporal,
    args: serverArgs(options, port),
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
    ...(options.ui ? { uiUrl: `http://${LOOPBACK}:${port + 1}` } : {}),
    stop: async () => server.stop(10_000),
  };
}

function serverArgs(options: TemporalOptions, port: number): readonly string[] {
  return [
    ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--namespace', NAMESPACE],
    ...['--http-port', String(port + 2), '--metrics-port', String(port + 3), '--log-level', 'warn'],
    ...(options.ui ? ['--ui-port', String(port + 1), '--ui-disable-news-fetch'] : ['--headless']),
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    // Without it a timer of a second may take two.
    ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
  ];
}
