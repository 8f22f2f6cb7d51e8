import { locatePart } from '../scripts/parts/locate.js';
import { becomesAnswering } from './answering.js';
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
  await becomesAnswering(exporter, { name: 'the node exporter', state: 'ready', url, withinMs: READY_WITHIN_MS });
  return { url, pid: exporter.pid, stop: () => exporter.stop() };
}
