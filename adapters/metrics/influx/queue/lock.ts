import path from 'node:path';
import Database from 'libsql';
import { QueueLockedError } from '../errors.js';

/**
 * Holds a folder for one store of one process until the returned function is called, or the process ends however it
 * ends: SQLite's lock belongs to the process, so that none is left behind for somebody to remove. Throws QueueLockedError.
 */
export function lockDirectory(directory: string): () => void {
  const db = new Database(path.join(directory, 'lock.db'));
  try {
    db.exec('PRAGMA busy_timeout = 0');
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (/busy|locked/i.test(String(error))) throw new QueueLockedError(directory);
    throw error;
  }
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}
