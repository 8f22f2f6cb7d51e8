import type { Command } from 'commander';
import { workerConfig } from '../workers/config.js';
import { temporalTarget } from '../workers/connect.js';
import { runWorker } from '../workers/worker.js';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run the worker until it is asked to stop (SIGINT, SIGTERM)')
    .action(async () => {
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
      const config = workerConfig(process.env, process.cwd());
      const onReady = (): void => {
        process.stderr.write(`worker polls task queue ${config.taskQueue}; state in ${config.stateDirectory}\n`);
      };
      await runWorker({ config, target: temporalTarget(), onReady }, stop.signal);
    });
}
