import type Database from 'libsql';
import { inTransaction as allOrNothing } from '../../sqlite/file.js';
import { MetricsStoreCorruptError, MetricsStoreFullError } from '../errors.js';

/** All of `work` or nothing of it. Throws the errors of the store by name. */
export function inTransaction<T>(db: Database.Database, mode: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
  try {
    return allOrNothing(db, mode, work);
  } catch (error) {
    throw named(error, db.name);
  }
}

/** Errors of the file by name; others as they are. */
export function named(error: unknown, file: string): unknown {
  const { code = '', message } = error as { code?: string; message: string };
  if (code === 'SQLITE_FULL') {
    return new MetricsStoreFullError(
      `${file}: ${message}. Make room, or keep less (rawRetentionMs, rollupRetentionMs)`,
      { cause: error },
    );
  }
  // What zlib and the packed blocks complain of is damage inside a page that SQLite itself cannot see.
  if (/^(SQLITE_CORRUPT|SQLITE_NOTADB|Z_|ERR_)/.test(code) || error instanceof RangeError) {
    return new MetricsStoreCorruptError(`${file}: ${message}. Move the file away, or put a copy in its place`, {
      cause: error,
    });
  }
  return error;
}
