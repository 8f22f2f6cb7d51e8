import type { Command } from 'commander';
import { createLog } from '../adapters/telemetry/log.js';
import { workerConfig } from '../workers/config.js';
import { choiceOf, connectionOptions } from './connection.js';
import { atLeastOne, historiesFromServer, replayAndPrint } from './replay.js';

interface VerifyOptions {
  query?: string;
  limit: number;
  timeout: number;
  workflows?: string;
  format: 'text' | 'json';
}

export function registerWorker(program: Command): void {
  const worker = program
    .command('worker')
    .description('run the worker until it is asked to stop (SIGINT, SIGTERM)')
    .action(runUntilStopped);
  connectionOptions(worker.command('verify'))
    .description('before a rollout: replay what the server holds of this task queue against this build')
    .option('--query <query>', 'of visibility; absent: everything on the task queue, what runs first')
    .option('--limit <count>', 'at most this many histories', atLeastOne, 200)
    .option('--timeout <seconds>', 'for fetching them', atLeastOne, 60)
    .option('--workflows <folder>', 'a copy of the folder `workflows` to verify; absent: that of this build')
    .option('--format <format>', 'text or json', 'text')
    .action(async (options: VerifyOptions, command: Command) => {
      const { everythingOn } = await import('../workers/verify.js');
      const { taskQueue } = workerConfig(process.env, process.cwd());
      const histories = await historiesFromServer(options.query ?? everythingOn(taskQueue), options, choiceOf(command));
      if (histories === null) return;
      if (histories.length === 0) process.stdout.write(`nothing on ${taskQueue}: nothing that could break\n`);
      else await replayAndPrint(histories, options);
    });
}

async function runUntilStopped(): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const config = workerConfig(process.env, process.cwd(), process.stderr.isTTY);
  const log = createLog({ ...config.log, output: (line) => process.stderr.write(line) });
  const { taskQueue, stateDirectory, deployment } = config;
  const onReady = (): void => {
    const build = deployment === null ? '' : ` as ${deployment.deploymentName}, build ${deployment.buildId}`;
    const words = `worker polls task queue ${taskQueue}${build}; state in ${stateDirectory}`;
    log.write('info', words, { component: 'worker', taskQueue });
  };
  // The SDK takes most of a second to load; other commands need not wait for it.
  const [{ runWorker }, { temporalTarget }, { installRuntime }] = await Promise.all([
    import('../workers/worker.js'),
    import('../workers/connect.js'),
    import('../workers/runtime.js'),
  ]);
  installRuntime(config, log);
  await runWorker({ config, target: temporalTarget(), log, onReady }, stop.signal);
}
