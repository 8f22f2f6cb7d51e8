import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from './http.js';
import type { RunningProcess } from './processes.js';
import { startProcess } from './processes.js';
import { projectRoot } from './run.js';

export interface WorkerProcessOptions {
  /** Process record and log go here. */
  directory: string;
  temporalAddress: string;
  stateDirectory: string;
  /** Absent: the queue that the README names. */
  taskQueue?: string;
  /** Networks are trained beside everything else; absent: not, so that what is measured is not slowed. */
  trainNetworks?: boolean;
  /** Tells several workers of one run apart. */
  name?: string;
}

const READY_WITHIN_MS = 90_000;

/** The worker as people run it, `psmg worker`, in its own process; resolves when it polls for work. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<RunningProcess> {
  const { directory, temporalAddress, stateDirectory, taskQueue } = options;
  const worker = startProcess(directory, {
    name: options.name ?? 'worker',
    command: process.execPath,
    args: [path.join(projectRoot, 'bin', 'psmg.js'), 'worker'],
    cwd: projectRoot,
    env: {
      TEMPORAL_ADDRESS: temporalAddress,
      PSMG_STATE: stateDirectory,
      PSMG_DATA: projectRoot,
      PSMG_STICKY_TIMEOUT_MS: '1000',
      PSMG_TRAIN: options.trainNetworks === true ? 'on' : 'off',
      ...(taskQueue === undefined ? {} : { PSMG_TASK_QUEUE: taskQueue }),
    },
  });
  const polls = waitFor(`the worker (see ${worker.logFile})`, READY_WITHIN_MS, () =>
    Promise.resolve(existsSync(worker.logFile) && readFileSync(worker.logFile, 'utf8').includes('worker polls')),
  );
  const ended = worker.exited.then(() => {
    throw new Error(`the worker ended before it polled: ${readFileSync(worker.logFile, 'utf8').slice(-2000)}`);
  });
  await Promise.race([polls, ended]);
  ended.catch(() => undefined);
  return worker;
}
