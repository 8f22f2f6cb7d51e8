import Database from 'libsql';
import type { InfluxTarget } from './influx/connection.js';
import { openConnection } from './influx/connection.js';
import { fluxOfMeasurements } from './influx/flux.js';
import { readFluxCsv } from './influx/fluxCsv.js';
import { askFluxText } from './influx/read.js';
import { SNAPSHOT_MEASUREMENT } from './influx/snapshots.js';

/** Names of the measurements in the file of an embedded store, in order. */
export function measurementsOfSqlite(file: string): readonly string[] {
  const db = new Database(file);
  try {
    const rows = db.prepare('SELECT DISTINCT measurement FROM series ORDER BY measurement').all();
    return (rows as { measurement: string }[]).map(({ measurement }) => measurement);
  } finally {
    db.close();
  }
}

/** Names of the measurements in a bucket, in order; without our snapshots, which are no rows. */
export async function measurementsOfInflux(target: InfluxTarget): Promise<readonly string[]> {
  const connection = openConnection(target);
  try {
    const names: string[] = [];
    await readFluxCsv(askFluxText(connection, target.org, fluxOfMeasurements(target.bucket)), (columns, cells) => {
      names.push(cells[columns.indexOf('_value')] ?? '');
    });
    return names.filter((name) => name !== SNAPSHOT_MEASUREMENT).sort();
  } finally {
    connection.close();
  }
}
