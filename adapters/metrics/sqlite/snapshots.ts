import type Database from 'libsql';
import type { ProxySnapshot } from '../../../core/spec/observation.js';

export interface Snapshots {
  put(region: string, snapshots: readonly ProxySnapshot[]): void;
  latest(region: string, beforeMs: number): readonly ProxySnapshot[];
}

/** Sets of snapshots, one JSON text each: they are few, and read whole. */
export function createSnapshots(db: Database.Database, retentionMs: number): Snapshots {
  const add = db.prepare(
    `INSERT INTO snapshots (region, at, body) VALUES (?, ?, ?)
     ON CONFLICT (region, at) DO UPDATE SET body = excluded.body`,
  );
  const drop = db.prepare(
    'DELETE FROM snapshots WHERE region = ?1 AND at < (SELECT max(at) FROM snapshots WHERE region = ?1) - ?2',
  );
  const read = db.prepare('SELECT body FROM snapshots WHERE region = ? AND at <= ? ORDER BY at DESC LIMIT 1');
  return {
    put(region, snapshots) {
      // A set counts as taken when its last proxy had answered.
      const at = Math.max(...snapshots.map((s) => s.at));
      add.run(region, at, JSON.stringify(snapshots, keepInfinity));
      drop.run(region, retentionMs);
    },
    latest(region, beforeMs) {
      const row = read.get(region, beforeMs) as { body: string } | undefined;
      return row === undefined ? [] : (JSON.parse(row.body, reviveInfinity) as ProxySnapshot[]);
    },
  };
}

/** The last bucket of a histogram has no upper bound, and JSON has no word for that. */
function keepInfinity(_key: string, value: unknown): unknown {
  return value === Infinity ? 'Infinity' : value;
}

function reviveInfinity(key: string, value: unknown): unknown {
  return key === 'highMs' && value === 'Infinity' ? Infinity : value;
}
