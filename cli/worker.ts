import type { Command } from 'commander';
import { createLog } from '../adapters/telemetry/log.js';
import { workerConfig } from '../workers/config.js';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run the worker until it is asked to stop (SIGINT, SIGTERM)')
    .action(async () => {
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
      const config = workerConfig(process.env, process.cwd(), process.stderr.isTTY);
      const log = createLog({ ...config.log, output: (line) => process.stderr.write(line) });
      const { taskQueue, stateDirectory } = config;
      const onReady = (): void => {
        const words = `worker polls task queue ${taskQueue}; state in ${stateDirectory}`;
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
    });
}
