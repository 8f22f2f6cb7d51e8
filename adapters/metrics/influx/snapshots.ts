import { gunzipSync, gzipSync } from 'node:zlib';
import type { ProxySnapshot } from '../../../core/spec/observation.js';
import { snapshotsOfText, takenAtMs, textOfSnapshots } from '../snapshotText.js';
import { MetricsQueryError } from './errors.js';
import { encodeSeries } from './lineProtocol.js';

/** Holds sets of snapshots: one point a region and set, its text in as many fields as it needs. */
export const SNAPSHOT_MEASUREMENT = 'proxy_snapshots';

/** The server takes texts of at most 64 KiB. */
const CHUNK_LENGTH = 48 * 1024;

/** A set as one line of line protocol: gzipped JSON as base64 in fields c0, c1 …, and how many they are. */
export function encodeSnapshots(region: string, snapshots: readonly ProxySnapshot[]): string {
  const text = gzipSync(textOfSnapshots(snapshots), { level: 1 }).toString('base64');
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += CHUNK_LENGTH)
    chunks.push(`c${chunks.length}="${text.slice(at, at + CHUNK_LENGTH)}"`);
  return `${encodeSeries(SNAPSHOT_MEASUREMENT, { region })} chunks=${chunks.length},${chunks.join(',')} ${takenAtMs(snapshots)}`;
}

export interface NewestField {
  time: string;
  field: string;
  value: string;
}

/** The set that the newest values of a region's fields make. An older, longer set has left fields that are not its own. */
export function decodeSnapshots(fields: readonly NewestField[]): readonly ProxySnapshot[] {
  const count = fields.find(({ field }) => field === 'chunks');
  if (count === undefined) return [];
  const byName = new Map(fields.filter(({ time }) => time === count.time).map(({ field, value }) => [field, value]));
  const text = Array.from({ length: Number(count.value) }, (_, i) => byName.get(`c${i}`));
  if (text.includes(undefined)) throw new MetricsQueryError(`the set of snapshots of ${count.time} is not whole`);
  return snapshotsOfText(gunzipSync(Buffer.from(text.join(''), 'base64')).toString('utf8'));
}

/** The newest set of each region that this process put, so that a server that is away costs no region its baseline. */
export interface RecentSnapshots {
  keep(region: string, line: string): void;
  latest(region: string, beforeMs: number): readonly ProxySnapshot[] | null;
}

/** `maxLength`: characters of all sets together; those put longest ago go first. */
export function recentSnapshots(maxLength = 64 * 1024 * 1024): RecentSnapshots {
  const lines = new Map<string, string>();
  let length = 0;
  const drop = (region: string): void => {
    length -= lines.get(region)?.length ?? 0;
    lines.delete(region);
  };
  return {
    keep(region, line): void {
      drop(region);
      lines.set(region, line);
      length += line.length;
      for (const oldest of lines.keys()) if (length > maxLength) drop(oldest);
    },
    latest(region, beforeMs) {
      const line = lines.get(region) ?? '';
      const time = line.slice(line.lastIndexOf(' ') + 1);
      if (line === '' || Number(time) > beforeMs) return null;
      const texts = [...line.matchAll(/[ ,](c\d+)="([^"]*)"/g)];
      const fields = texts.map(([, field = '', value = '']) => ({ time, field, value }));
      return decodeSnapshots([{ time, field: 'chunks', value: String(texts.length) }, ...fields]);
    },
  };
}
