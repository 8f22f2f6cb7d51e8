import { locatePart } from '../scripts/parts/locate.js';
import { waitFor } from './http.js';
import { withLog } from './istiod.js';
import { freePort } from './ports.js';
import { startProcess } from './processes.js';

export interface NodeExporterOptions {
  /** For `logs/` and `pids/`. */
  directory: string;
  /** Absent: any free one. */
  port?: number;
}

export interface RunningNodeExporter {
  /** Its page of metrics. */
  url: string;
  pid: number;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 15_000;
/** What a host is judged by; the others differ from machine to machine, and some warn where they find nothing. */
const COLLECTORS = ['cpu', 'loadavg', 'meminfo', 'stat', 'time'] as const;

/** A real node exporter of this machine's CPU, load and memory, answering when this resolves. */
export async function startNodeExporter({ directory, port }: NodeExporterOptions): Promise<RunningNodeExporter> {
  const address = `${LOOPBACK}:${port ?? (await freePort())}`;
  const url = `http://${address}/metrics`;
  const exporter = startProcess(directory, {
    name: `node-exporter-${address.split(':')[1]}`,
    command: locatePart('node_exporter'),
    args: [
      ...['--collector.disable-defaults', ...COLLECTORS.map((name) => `--collector.${name}`)],
      ...[`--web.listen-address=${address}`, '--log.level=warn'],
    ],
  });
  try {
    await waitFor(`the node exporter at ${url}`, READY_WITHIN_MS, async () => {
      if (!exporter.isRunning()) return 'ended';
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      return response.ok && 'ready';
    });
    if (!exporter.isRunning()) throw new Error('the node exporter ended before it answered');
  } catch (error) {
    await exporter.stop();
    throw withLog(error, exporter.logFile);
  }
  return { url, pid: exporter.pid, stop: () => exporter.stop() };
}
