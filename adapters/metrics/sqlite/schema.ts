import type Database from 'libsql';
import { makeDurable, migrate } from '../../sqlite/file.js';
import { createBlocks } from './blocks.js';
import { compactWaiting } from './compact.js';
import { createLog } from './log.js';
import { createNames } from './names.js';

/** The steps from each version to the next; the version of a file is the number of steps that it has had. */
const STEPS: readonly ((db: Database.Database) => void)[] = [
  (db) =>
    db.exec(
      `CREATE TABLE series (
         id INTEGER PRIMARY KEY,
         measurement TEXT NOT NULL,
         tags TEXT NOT NULL,
         UNIQUE (measurement, tags)
       );
       CREATE TABLE points (
         series INTEGER NOT NULL REFERENCES series (id),
         at INTEGER NOT NULL,
         fields TEXT NOT NULL,
         PRIMARY KEY (series, at)
       ) WITHOUT ROWID;
       CREATE TABLE snapshots (
         region TEXT NOT NULL,
         at INTEGER NOT NULL,
         body TEXT NOT NULL,
         PRIMARY KEY (region, at)
       ) WITHOUT ROWID;`,
    ),
  (db) => {
    db.exec(
      `CREATE TABLE fields (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
       CREATE TABLE log (
         key INTEGER PRIMARY KEY,
         from_ms INTEGER NOT NULL,
         to_ms INTEGER NOT NULL,
         body BLOB NOT NULL
       );
       CREATE TABLE blocks (
         series INTEGER NOT NULL REFERENCES series (id),
         start_ms INTEGER NOT NULL,
         field INTEGER NOT NULL,
         body BLOB NOT NULL,
         PRIMARY KEY (series, start_ms, field)
       ) WITHOUT ROWID;
       CREATE TABLE rollups (
         series INTEGER NOT NULL REFERENCES series (id),
         start_ms INTEGER NOT NULL,
         body BLOB NOT NULL,
         PRIMARY KEY (series, start_ms)
       ) WITHOUT ROWID;`,
    );
    packPoints(db);
    db.exec('DROP TABLE points');
  },
];

/** Brings the file to the newest schema. Throws when a newer program wrote it. */
export function prepareFile(db: Database.Database, maxFileBytes: number | undefined): void {
  db.exec('PRAGMA busy_timeout = 5000');
  makeDurable(db);
  if (maxFileBytes !== undefined) {
    const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageBytes))}`);
  }
  migrate(db, db.name, STEPS);
}

const POINTS_AT_ONCE = 4096;

/** Rows of version 1, one JSON text each, into the log and from there into blocks. */
function packPoints(db: Database.Database): void {
  const [names, log, blocks] = [createNames(db), createLog(db), createBlocks(db)];
  const page = db.prepare(
    'SELECT series, at, fields FROM points WHERE (series, at) > (?, ?) ORDER BY series, at LIMIT ?',
  );
  let [series, at] = [-1, 0];
  for (let more = true; more;) {
    const points = page.all(series, at, POINTS_AT_ONCE) as { series: number; at: number; fields: string }[];
    const rows = points.map((point) => {
      const fields = JSON.parse(point.fields) as Record<string, number>;
      return { ...point, fields: names.fieldIds(Object.keys(fields)), values: Object.values(fields) };
    });
    compactWaiting(log, blocks, log.append(rows), rows.length);
    more = points.length === POINTS_AT_ONCE;
    ({ series, at } = points.at(-1) ?? { series, at });
  }
}
