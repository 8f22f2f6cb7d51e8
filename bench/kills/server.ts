import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { locatePart } from '../../scripts/parts/locate.js';
import { waitFor } from '../../testbed/http.js';
import { freePortRange } from '../../testbed/ports.js';
import type { RunningProcess } from '../../testbed/processes.js';
import { startProcess } from '../../testbed/processes.js';
import { SEARCH_ATTRIBUTES } from '../../testbed/temporalServer.js';

const LOOPBACK = '127.0.0.1';
const run = promisify(execFile);

/** A development server whose histories are in a file, so that it can be killed and go on on the same ports. */
export class FileServer {
  readonly address: string;
  private readonly folder: string;
  private readonly port: number;
  private process: RunningProcess | null = null;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.address = `${LOOPBACK}:${port}`;
  }

  static async start(folder: string): Promise<FileServer> {
    const server = new FileServer(folder, await freePortRange(3));
    await server.start();
    return server;
  }

  /** Resolves when it is dead and the next one answers; milliseconds between the two. */
  async killAndRestart(): Promise<number> {
    const running = this.process;
    if (running === null) throw new Error('the server does not run');
    process.kill(running.pid, 'SIGKILL');
    await running.exited;
    const deadMs = Date.now();
    await this.start();
    return Date.now() - deadMs;
  }

  async stop(): Promise<void> {
    await this.process?.stop(10_000);
  }

  private async start(): Promise<void> {
    const temporal = locatePart('temporal');
    const server = startProcess(this.folder, { name: 'temporal', command: temporal, args: this.args() });
    this.process = server;
    await waitFor(`Temporal at ${this.address} (see ${server.logFile})`, 60_000, async () => {
      if (!server.isRunning()) throw new Error('the server ended');
      const at = ['--address', this.address, '--command-timeout', '3s'];
      const { stdout } = await run(temporal, ['operator', 'search-attribute', 'list', ...at]);
      return SEARCH_ATTRIBUTES.every((name) => stdout.includes(name));
    });
  }

  private args(): string[] {
    const [port, http, metrics] = [this.port, this.port + 1, this.port + 2].map(String);
    return [
      ...['server', 'start-dev', '--ip', LOOPBACK, '--headless', '--log-level', 'error'],
      ...['--port', port ?? '', '--http-port', http ?? '', '--metrics-port', metrics ?? ''],
      ...['--db-filename', path.join(this.folder, 'temporal.db')],
      ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
    ];
  }
}
