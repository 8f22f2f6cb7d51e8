import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import { fileOutside } from './outside.js';
import type { Boundary } from './passes.js';
import { notePass } from './passes.js';

/**
 * A worker that dies where it is told: `ADDRESS`, `FOLDER`, `BUNDLE` (a file) and `ORDER`, a file that is there
 * when its turn has come, with the boundaries at whose first passing it sends itself a SIGKILL; empty: it waits for
 * somebody else's.
 */
const { ADDRESS = '', FOLDER = '', BUNDLE = '', ORDER = '' } = process.env;

mkdirSync(FOLDER, { recursive: true });
Runtime.install({ logger: new DefaultLogger('ERROR') });
const audit = createSqliteAuditLog(path.join(FOLDER, 'audit.db'));
while (!existsSync(ORDER)) await sleep(20);
const fuses = new Set(readFileSync(ORDER, 'utf8').split(' '));
const passes = path.join(FOLDER, 'passes.jsonl');

const activities = fileOutside({
  folder: path.join(FOLDER, 'effects'),
  audit,
  at: (life, activity, point) => {
    const boundary: Boundary = `${activity}:${point}`;
    const killed = fuses.has(boundary);
    notePass(passes, { atMs: Date.now(), life, boundary, ...(killed ? { killed } : {}) });
    if (killed) process.kill(process.pid, 'SIGKILL');
  },
});

const connection = await NativeConnection.connect({ address: ADDRESS });
const worker = await Worker.create({
  connection,
  taskQueue: 'kills',
  workflowBundle: { codePath: BUNDLE },
  activities: { ...activities },
  maxHeartbeatThrottleInterval: '200 milliseconds',
  stickyQueueScheduleToStartTimeout: '1 second',
});
process.stdout.write('worker polls\n');
await worker.run();
