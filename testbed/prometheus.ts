import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { locatePart } from '../scripts/parts/locate.js';
import { lastLine, run } from '../scripts/parts/run.js';
import { becomesAnswering, withLog } from './answering.js';
import { freePort } from './ports.js';
import { startProcess } from './processes.js';

/** What one job scrapes: the page at `url`, or `metricsPath` (absent: `/metrics`) of each `host:port` of `targets`. */
export type ScrapeJob = { job: string; intervalMs: number } & (
  | { url: string; targets?: undefined; metricsPath?: undefined }
  | { targets: readonly string[]; metricsPath?: string; url?: undefined }
);

export interface PrometheusOptions {
  /** Folder of its own: data, `logs/` and `pids/`. */
  directory: string;
  scrape: readonly ScrapeJob[];
  /** Texts of rule files, YAML or JSON. */
  rules?: readonly string[];
  /** Absent: any free one. */
  port?: number;
  /** History in the OpenMetrics text format, with a timestamp in seconds in every line; it need not end in `# EOF`. */
  openMetrics?: string;
}

export interface RunningPrometheus {
  url: string;
  pid: number;
  logFile: string;
  /** Takes these scrape jobs and rules instead; throws, and goes on with what it had, when they are no good. */
  reload(next: Pick<PrometheusOptions, 'scrape' | 'rules'>): Promise<void>;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 15_000;
/** Of rules; scrapes have an interval of their own. */
const EVALUATES_EVERY_MS = 1_000;
/** History given at the start may be years old, and by default all beyond 15 days is deleted. */
const KEEPS = '20y';

/** A real Prometheus that has read its history, ready when this resolves. */
export async function startPrometheus(options: PrometheusOptions): Promise<RunningPrometheus> {
  const { directory, openMetrics } = options;
  const data = path.join(directory, 'data');
  mkdirSync(data, { recursive: true });
  if (openMetrics !== undefined) await backfill(directory, data, openMetrics);
  const config = writeConfig(directory, options);
  const port = options.port ?? (await freePort());
  const url = `http://${LOOPBACK}:${port}`;
  const server = startProcess(directory, {
    name: 'prometheus',
    command: locatePart('prometheus'),
    args: [
      ...[`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--storage.tsdb.retention.time=${KEEPS}`],
      ...[`--web.listen-address=${LOOPBACK}:${port}`, '--web.enable-lifecycle', '--log.level=warn'],
    ],
    cwd: directory,
  });
  const ready = { name: 'Prometheus', state: 'ready', url: `${url}/-/ready`, withinMs: READY_WITHIN_MS };
  await becomesAnswering(server, ready);
  return {
    url,
    pid: server.pid,
    logFile: server.logFile,
    reload: async (next) => {
      writeConfig(directory, next);
      const response = await fetch(`${url}/-/reload`, { method: 'POST' });
      if (!response.ok) throw withLog(new Error(`Prometheus's reload: ${await response.text()}`), server.logFile);
    },
    stop: () => server.stop(STOPS_WITHIN_MS),
  };
}

/** Days of history at once, as blocks that are there when the server starts. */
async function backfill(directory: string, data: string, openMetrics: string): Promise<void> {
  const file = path.join(directory, 'history.om');
  const whole = /^# EOF\s*$/m.test(openMetrics) ? openMetrics : `${openMetrics.trimEnd()}\n# EOF\n`;
  writeFileSync(file, whole);
  const outcome = await run(locatePart('promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, data]);
  if (outcome.code !== 0) throw new Error(`promtool: ${lastLine(outcome.stderr || outcome.stdout)}`);
}

/** JSON is YAML. Files of rules keep their places, so that a reload replaces them. */
function writeConfig(directory: string, { scrape, rules = [] }: Pick<PrometheusOptions, 'scrape' | 'rules'>): string {
  const ruleFiles = rules.map((text, index) => {
    const file = path.join(directory, `rules-${index}.yaml`);
    writeFileSync(file, text);
    return file;
  });
  const file = path.join(directory, 'prometheus.json');
  const config = {
    global: { evaluation_interval: `${EVALUATES_EVERY_MS}ms` },
    rule_files: ruleFiles,
    scrape_configs: scrape.map(scrapeConfig),
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

function scrapeConfig(job: ScrapeJob): unknown {
  const interval = `${job.intervalMs}ms`;
  const common = { job_name: job.job, scrape_interval: interval, scrape_timeout: interval };
  if (job.url === undefined) {
    return { ...common, metrics_path: job.metricsPath ?? '/metrics', static_configs: [{ targets: job.targets }] };
  }
  const { protocol, host, pathname, searchParams } = new URL(job.url);
  const names = [...new Set(searchParams.keys())];
  return {
    ...common,
    scheme: protocol.slice(0, -1),
    metrics_path: pathname,
    params: Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])),
    static_configs: [{ targets: [host] }],
  };
}
