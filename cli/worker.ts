import type { Command } from 'commander';
import { workerConfig } from '../workers/config.js';

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
      // The SDK takes most of a second to load; other commands need not wait for it.
      const [{ runWorker }, { temporalTarget }] = await Promise.all([
        import('../workers/worker.js'),
        import('../workers/connect.js'),
      ]);
      await runWorker({ config, target: temporalTarget(), onReady }, stop.signal);
    });
}
