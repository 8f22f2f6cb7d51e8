import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { InstanceOptions } from '../../testbed/app/instance.js';

/** What the process of the instances is told first. */
export interface AppsConfig {
  instances: readonly { options: InstanceOptions; failRate: number }[];
}

export type AppsOrder = { kind: 'start'; config: AppsConfig } | { kind: 'idle' } | { kind: 'utilisation' };

/** Busy workers over workers by service since it was last asked, or whether nobody is at work. */
export type AppsAnswer = { idle: boolean; utilisation: Readonly<Record<string, number>> };

/** Sample services in a process of their own. */
export interface Apps {
  /** Waits until no request is at work or waiting. */
  idle(): Promise<void>;
  /** Since the last call. */
  utilisation(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

export async function startApps(config: AppsConfig): Promise<Apps> {
  const child = fork(fileURLToPath(new URL('./appsMain.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const tell = (order: AppsOrder): Promise<AppsAnswer> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the sample services ended'));
      child.once('exit', ended);
      child.once('message', (answer) => {
        child.off('exit', ended);
        resolve(answer as AppsAnswer);
      });
      child.send(order);
    });
  await tell({ kind: 'start', config });
  return {
    idle: async () => {
      while (!(await tell({ kind: 'idle' })).idle) await new Promise((resolve) => setTimeout(resolve, 50));
    },
    utilisation: async () => (await tell({ kind: 'utilisation' })).utilisation,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}
