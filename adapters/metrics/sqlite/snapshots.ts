import type Database from 'libsql';
import type { ProxySnapshot } from '../../../core/spec/observation.js';
import { snapshotsOfText, takenAtMs, textOfSnapshots } from '../snapshotText.js';

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
      add.run(region, takenAtMs(snapshots), textOfSnapshots(snapshots));
      drop.run(region, retentionMs);
    },
    latest(region, beforeMs) {
      const row = read.get(region, beforeMs) as { body: string } | undefined;
      return row === undefined ? [] : snapshotsOfText(row.body);
    },
  };
}
