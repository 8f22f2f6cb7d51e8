import type { Command } from 'commander';
import { RAW_KEEP_DAYS, ROLLUP_KEEP_DAYS } from '../adapters/metrics/keep.js';
import { influxConfig, metricsConfig } from '../adapters/metrics/metricsConfig.js';
import { tokenReader } from '../adapters/metrics/token.js';
import type { Problem } from '../core/spec/problem.js';
import { workerConfig } from '../workers/config.js';
import { EXIT, printJson, refuse } from './output.js';

type Format = 'text' | 'json';

const FORMAT = ['--format <format>', 'text or json', 'text'] as const;

/** The stores and their libraries are loaded by the commands that use them: every other command would wait for them. */
export function registerMetrics(program: Command): void {
  const metrics = program.command('metrics').description('the store of what was measured (docs/metrics.md)');
  metrics
    .command('init')
    .description('make buckets, retention and the rollup task in the InfluxDB of PSMG_INFLUX_…; again: changes nothing')
    .option('--keep <days>', 'days that rows are kept', String(RAW_KEEP_DAYS))
    .option('--keep-rollup <days>', 'days that 1-minute values are kept', String(ROLLUP_KEEP_DAYS))
    .option('--dry-run', 'say what would be done')
    .option('--force', 'shorten a retention that is longer: what is older is lost')
    .option(...FORMAT)
    .action(runInit);
  metrics
    .command('copy')
    .description('copy every row from one store to another, compare them, and say how many values arrived')
    .requiredOption('--from <store>', 'sqlite:FILE, or influxdb:PREFIX for the InfluxDB that PREFIX_URL … name')
    .requiredOption('--to <store>', 'as --from')
    .option(...FORMAT)
    .action(async (options: { from: string; to: string; format: Format }) => {
      const { runCopy } = await import('./metricsCopy.js');
      return runCopy(options);
    });
  metrics
    .command('status')
    .description('how the store of PSMG_METRICS is: exit code 1 when it is not ok')
    .option(...FORMAT)
    .action(runStatus);
}

interface InitOptions {
  keep: string;
  keepRollup: string;
  dryRun?: true;
  force?: true;
  format: Format;
}

async function runInit(options: InitOptions): Promise<void> {
  const problems: Problem[] = [];
  const keepSeconds = secondsOfDays('--keep', options.keep, problems);
  const rollupKeepSeconds = secondsOfDays('--keep-rollup', options.keepRollup, problems);
  const config = influxConfig(process.env);
  if (!config.ok) problems.push(...config.problems);
  if (!config.ok || problems.length > 0) return refuse(problems, options.format);
  const { url, org, bucket } = config.value;
  const [{ planSetup, rollupBucketOf }, { openSetupServer }] = await Promise.all([
    import('../adapters/metrics/influx/setup.js'),
    import('../adapters/metrics/influx/setupServer.js'),
  ]);
  const wanted = { bucket, keepSeconds, rollupBucket: rollupBucketOf(bucket), rollupKeepSeconds };
  const token = tokenReader(config.value, (name) => process.env[name])();
  const server = await openSetupServer({ url, org, token });
  const { actions, keptLonger } = planSetup(await server.find(wanted), wanted, options.force === true);
  if (options.dryRun !== true) for (const action of actions) await server.apply(action);
  const done = options.dryRun !== true;
  if (options.format === 'json') return printJson({ done, actions, keptLonger });
  for (const action of actions) process.stdout.write(`${done ? '' : 'would '}${action.do} ${action.name}\n`);
  for (const { name, foundSeconds, wantedSeconds } of keptLonger) {
    const found = foundSeconds === 0 ? 'for ever' : `${foundSeconds / DAY_SECONDS} days`;
    process.stdout.write(
      `${name} keeps rows ${found}, longer than ${wantedSeconds / DAY_SECONDS} days: left (--force)\n`,
    );
  }
  if (actions.length === 0) process.stdout.write('everything is there: nothing was changed\n');
}

const DAY_SECONDS = 86_400;

function secondsOfDays(field: string, text: string, problems: Problem[]): number {
  const days = Number(text);
  // The server deletes by the hour.
  if (Number.isFinite(days) && days * 24 >= 1) return Math.round(days * DAY_SECONDS);
  problems.push({ code: 'option', field, message: `is ${JSON.stringify(text)}`, expected: 'days, at least an hour' });
  return 0;
}

async function runStatus(options: { format: Format }): Promise<void> {
  const config = metricsConfig(process.env);
  if (!config.ok) return refuse(config.problems, options.format);
  const { inspectMetricsStore } = await import('../adapters/metrics/open.js');
  const { stateDirectory, variable } = workerConfig(process.env, process.cwd());
  const health = await inspectMetricsStore({ config: config.value, stateDirectory, variable });
  const { kind } = config.value;
  if (options.format === 'json') printJson({ kind, ...health });
  else {
    const queued =
      health.queuedPoints === 0 ? '' : ` (${health.queuedPoints} values, ${health.queuedBytes} bytes queued)`;
    process.stdout.write(`${kind}: ${health.state}${queued}: ${health.detail}\n`);
  }
  if (health.state !== 'ok') process.exitCode = EXIT.notSo;
}
