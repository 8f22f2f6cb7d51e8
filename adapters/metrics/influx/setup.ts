import type { AggregateFunction } from '../port.js';
import { quoted } from './flux.js';
import { SNAPSHOT_MEASUREMENT } from './snapshots.js';

/** What the server has of what we need, by name; absent: it has none. */
export interface FoundSetup {
  bucket?: FoundBucket;
  rollup?: FoundBucket;
  task?: { id: string; flux: string; active: boolean };
}

export interface FoundBucket {
  id: string;
  /** 0: for ever. */
  keepSeconds: number;
}

export interface WantedSetup {
  bucket: string;
  keepSeconds: number;
  rollupBucket: string;
  rollupKeepSeconds: number;
}

export type SetupAction =
  | { do: 'create-bucket'; name: string; keepSeconds: number }
  | { do: 'set-retention'; name: string; id: string; fromSeconds: number; keepSeconds: number }
  | { do: 'create-task'; name: string; flux: string }
  | { do: 'update-task'; name: string; id: string; flux: string };

export interface SetupPlan {
  actions: readonly SetupAction[];
  /** Retentions that are longer than wanted, and stay so: data would be lost. */
  keptLonger: readonly { name: string; foundSeconds: number; wantedSeconds: number }[];
}

/** Each is a measurement of its own in the rollup bucket: `service.mean`. */
const ROLLUP_FUNCTIONS = ['mean', 'min', 'max', 'count'] as const satisfies readonly AggregateFunction[];

export function rollupBucketOf(bucket: string): string {
  return `${bucket}_1m`;
}

export function taskNameOf(bucket: string): string {
  return `psmg: 1-minute rollup of ${bucket}`;
}

/** What must be done so that the server has what is wanted; nothing when it has. */
export function planSetup(found: FoundSetup, wanted: WantedSetup, force: boolean): SetupPlan {
  const actions: SetupAction[] = [];
  const keptLonger: { name: string; foundSeconds: number; wantedSeconds: number }[] = [];
  const want = (name: string, bucket: FoundBucket | undefined, keepSeconds: number): void => {
    if (bucket === undefined) actions.push({ do: 'create-bucket', name, keepSeconds });
    else if (bucket.keepSeconds !== keepSeconds) {
      if (!force && isLonger(bucket.keepSeconds, keepSeconds)) {
        keptLonger.push({ name, foundSeconds: bucket.keepSeconds, wantedSeconds: keepSeconds });
      } else {
        actions.push({ do: 'set-retention', name, id: bucket.id, fromSeconds: bucket.keepSeconds, keepSeconds });
      }
    }
  };
  want(wanted.bucket, found.bucket, wanted.keepSeconds);
  want(wanted.rollupBucket, found.rollup, wanted.rollupKeepSeconds);
  const task = { name: taskNameOf(wanted.bucket), flux: rollupTask(wanted) };
  if (found.task === undefined) actions.push({ do: 'create-task', ...task });
  else if (found.task.flux !== task.flux || !found.task.active) {
    actions.push({ do: 'update-task', id: found.task.id, ...task });
  }
  return { actions, keptLonger };
}

function isLonger(found: number, wanted: number): boolean {
  return wanted !== 0 && (found === 0 || found > wanted);
}

/**
 * Each run repeats the last quarter of an hour, so that rows which came late, out of a queue, are counted; a point is
 * replaced by its like. What came later than that stays in the raw bucket alone.
 */
export function rollupTask({ bucket, rollupBucket }: WantedSetup): string {
  const streams = ROLLUP_FUNCTIONS.map((by) =>
    [
      'data()',
      // An integer and a float of one name cannot be in one bucket.
      `  |> aggregateWindow(every: 60s, fn: ${by}, timeSrc: "_start", createEmpty: false)`,
      ...(by === 'count' ? ['  |> toFloat()'] : []),
      `  |> map(fn: (r) => ({r with _measurement: r._measurement + ".${by}"}))`,
      `  |> to(bucket: ${quoted(rollupBucket)})`,
    ].join('\n'),
  );
  return [
    'import "date"',
    '',
    `option task = {name: ${quoted(taskNameOf(bucket))}, every: 1m, offset: 10s}`,
    '',
    'stop = date.truncate(t: now(), unit: 1m)',
    'start = date.sub(d: 15m, from: stop)',
    '',
    'data = () =>',
    `  from(bucket: ${quoted(bucket)})`,
    '    |> range(start: start, stop: stop)',
    `    |> filter(fn: (r) => r._measurement != ${quoted(SNAPSHOT_MEASUREMENT)})`,
    '',
    streams.join('\n\n'),
    '',
  ].join('\n');
}
