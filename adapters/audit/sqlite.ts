import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { checkRecord } from '../../core/audit/parseRecord.js';
import type { AuditHead, NewAuditEntry } from '../../core/audit/record.js';
import { EMPTY_HEAD, chainRecord, recordBody, saysTheSame } from '../../core/audit/record.js';
import { inTransaction, makeDurable, migrate, schemaVersion } from '../sqlite/file.js';
import type { AppendOutcome, AuditLog, AuditRead } from './port.js';
import { AuditUnavailableError } from './port.js';

/**
 * `body` is what was hashed. The triggers are for slips of the hand: whoever can write the file can drop them, and is
 * found by the chain.
 */
const STEPS: readonly ((db: Database.Database) => void)[] = [
  (db) =>
    db.exec(
      `CREATE TABLE records (
         region TEXT NOT NULL,
         seq INTEGER NOT NULL,
         hash TEXT NOT NULL,
         body TEXT NOT NULL,
         PRIMARY KEY (region, seq)
       );
       CREATE UNIQUE INDEX records_key ON records (region, json_extract(body, '$.key'));
       CREATE TRIGGER records_grow BEFORE INSERT ON records
         WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM records WHERE region = NEW.region)
         BEGIN SELECT raise(ABORT, 'audit records are appended, one after the other'); END;
       CREATE TRIGGER records_stay BEFORE UPDATE ON records
         BEGIN SELECT raise(ABORT, 'audit records are never changed'); END;
       CREATE TRIGGER records_last BEFORE DELETE ON records
         BEGIN SELECT raise(ABORT, 'audit records are never deleted'); END;`,
    ),
];

export interface SqliteAuditOptions {
  /** How long an append waits for other processes. */
  waitMs?: number;
  /** Open what is there and write nothing; throws when there is no such file. */
  readOnly?: boolean;
}

interface Row {
  seq: number;
  hash: string;
  body: string;
}

const WAIT_MS = 1500;
const PAUSE_MS = 15;
/** An append stops everything else in its process while it waits, so that longer waits are pauses. */
const LOCK_WAIT_MS = 5;

/** The audit in one SQLite file. Throws when a newer program wrote it. Nothing is ever pruned. */
export function createSqliteAuditLog(file: string, options: SqliteAuditOptions = {}): AuditLog {
  const { waitMs = WAIT_MS, readOnly = false } = options;
  if (readOnly && !existsSync(file)) throw new Error(`there is no audit in ${file}`);
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  const db = new Database(file, { timeout: 5000 });
  let closed = false;
  try {
    prepare(db, file, readOnly);
  } catch (error) {
    db.close();
    throw error;
  }
  const run = createStatements(db);
  const guarded = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (closed) throw new AuditUnavailableError('the audit is closed');
    return work();
  };
  return {
    append: async (region, entries) =>
      guarded(async () => {
        if (readOnly) throw new AuditUnavailableError('the audit was opened to be read');
        return patiently(waitMs, () => run.append(region, entries));
      }),
    read: async (region, fromSeq = 1, limit = 1000) => guarded(() => run.read(region, fromSeq, limit)),
    head: async (region) =>
      guarded(() => {
        const head = run.head(region);
        return head.seq === 0 ? null : head;
      }),
    regions: async () => guarded(() => run.regions()),
    close: async () => {
      if (!closed) db.close();
      closed = true;
      return Promise.resolve();
    },
  };
}

function prepare(db: Database.Database, file: string, readOnly: boolean): void {
  if (readOnly) {
    schemaVersion(db, file, STEPS.length);
    db.exec('PRAGMA query_only = ON');
    return;
  }
  makeDurable(db);
  migrate(db, file, STEPS);
  db.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}`);
}

interface Statements {
  append(region: string, entries: readonly NewAuditEntry[]): AppendOutcome;
  read(region: string, fromSeq: number, limit: number): readonly AuditRead[];
  head(region: string): AuditHead;
  regions(): readonly string[];
}

function createStatements(db: Database.Database): Statements {
  const last = db.prepare('SELECT seq, hash FROM records WHERE region = ? ORDER BY seq DESC LIMIT 1');
  const byKey = db.prepare(`SELECT seq, hash, body FROM records WHERE region = ? AND json_extract(body, '$.key') = ?`);
  const add = db.prepare('INSERT INTO records (region, seq, hash, body) VALUES (?, ?, ?, ?)');
  const list = db.prepare('SELECT seq, hash, body FROM records WHERE region = ? AND seq >= ? ORDER BY seq LIMIT ?');
  const names = db.prepare('SELECT DISTINCT region FROM records ORDER BY region');
  const head = (region: string): AuditHead => {
    // The driver's rows have fields of their own besides.
    const { seq, hash } = (last.get(region) as AuditHead | undefined) ?? EMPTY_HEAD;
    return { seq, hash };
  };

  return {
    append: (region, entries) =>
      inTransaction(db, 'IMMEDIATE', () => {
        let end = head(region);
        let appended = 0;
        const conflicts: string[] = [];
        for (const entry of entries) {
          const known = byKey.get(region, entry.key) as Row | undefined;
          if (known !== undefined) {
            const stored = toRead(known);
            if (!stored.ok || !saysTheSame(stored.record, entry)) conflicts.push(entry.key);
            continue;
          }
          const record = chainRecord(region, end, entry);
          add.run(region, record.seq, record.hash, recordBody(record));
          end = { seq: record.seq, hash: record.hash };
          appended += 1;
        }
        return { head: end, appended, conflicts };
      }),
    read: (region, fromSeq, limit) => (list.all(region, fromSeq, limit) as Row[]).map(toRead),
    head,
    regions: () => (names.all() as { region: string }[]).map(({ region }) => region),
  };
}

function toRead({ seq: place, hash, body }: Row): AuditRead {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    return { ok: false, place, detail: 'is not JSON' };
  }
  // In place: a copy of each of a million records is a fifth of the time that their verification takes.
  if (typeof content === 'object' && content !== null) (content as { hash?: string }).hash = hash;
  const record = checkRecord(content);
  return typeof record === 'string' ? { ok: false, place, detail: record } : { ok: true, place, record };
}

/** Tries again while another process writes; everything else that the store answers is passed on. */
async function patiently<T>(waitMs: number, work: () => T): Promise<T> {
  const endMs = Date.now() + waitMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      // Never the caller's fault: what cannot be recorded is refused before it gets here.
      if (error instanceof TypeError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (!/locked|busy/i.test(message) || Date.now() >= endMs)
        throw new AuditUnavailableError(message, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())));
    }
  }
}
