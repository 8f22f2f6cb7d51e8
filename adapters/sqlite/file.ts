import type Database from 'libsql';

/** All of `work` or nothing of it. */
export function inTransaction<T>(db: Database.Database, mode: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
  try {
    db.exec(`BEGIN ${mode}`);
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has rolled back already, and a second time would hide the reason.
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** What was committed survives a process that is killed and a power failure; readers do not wait for a writer. */
export function makeDurable(db: Database.Database): void {
  db.exec('PRAGMA journal_mode = WAL');
  // In WAL mode anything less may lose the last transactions when the power fails.
  db.exec('PRAGMA synchronous = FULL');
}

/** Version of a file's schema: the number of steps that it has had. Throws when it has had more than are `known`. */
export function schemaVersion(db: Database.Database, file: string, known: number): number {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version <= known) return version;
  throw new Error(`${file} has schema ${version}, this program knows ${known}: use the newer program`);
}

/** Takes the steps that the file has not had, all or none. Throws when a newer program wrote it. */
export function migrate(
  db: Database.Database,
  file: string,
  steps: readonly ((db: Database.Database) => void)[],
): void {
  inTransaction(db, 'IMMEDIATE', () => {
    const version = schemaVersion(db, file, steps.length);
    if (version === steps.length) return;
    for (const step of steps.slice(version)) step(db);
    db.exec(`PRAGMA user_version = ${steps.length}`);
  });
}
