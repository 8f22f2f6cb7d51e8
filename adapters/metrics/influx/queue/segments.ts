import { closeSync, fsyncSync, ftruncateSync, fstatSync, openSync, readSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { QueuePosition } from './cursor.js';
import type { QueueRecord } from './record.js';
import { HEADER_BYTES, isWhole, readHeader } from './record.js';

/** One append-only file of records; `id` counts up. */
export interface Segment {
  id: number;
  /** Durable length. */
  bytes: number;
  /** Values that wait in it. */
  values: number;
}

/** Whole records in the order of their writes, joined. */
export interface QueueBatch extends QueueRecord {
  end: QueuePosition;
}

export function segmentFile(directory: string, id: number): string {
  return path.join(directory, `${String(id).padStart(8, '0')}.seg`);
}

/** Ids of the segments on disk, oldest first. */
export function segmentIds(directory: string): readonly number[] {
  return readdirSync(directory)
    .flatMap((name) => /^(\d{8,})\.seg$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * What waits in a segment from `offset` on. With `cutTail`, the file is cut before the first record that is not whole:
 * the write of it never ended, so nobody was told that it was kept. Otherwise such a place is left for the reader.
 */
export function inspectSegment(directory: string, id: number, offset: number, cutTail: boolean): Segment {
  const file = openSync(segmentFile(directory, id), cutTail ? 'r+' : 'r');
  try {
    const bytes = fstatSync(file).size;
    let at = 0;
    let values = 0;
    for (;;) {
      const found = readRecordAt(file, at, cutTail);
      if (found === null) break;
      if (at >= offset) values += found.values;
      at += found.bytes;
    }
    if (!cutTail || at === bytes) return { id, bytes, values };
    ftruncateSync(file, at);
    fsyncSync(file);
    return { id, bytes: at, values };
  } finally {
    closeSync(file);
  }
}

/** Checks the payload only when asked: of a segment that was ended in good order the headers are enough to count. */
function readRecordAt(file: number, at: number, check: boolean): { bytes: number; values: number } | null {
  const header = Buffer.alloc(HEADER_BYTES);
  if (readSync(file, header, 0, HEADER_BYTES, at) < HEADER_BYTES) return null;
  const found = readHeader(header, 0);
  if (found === null) return null;
  const bytes = HEADER_BYTES + found.payloadBytes;
  if (at + bytes > fstatSync(file).size) return null;
  if (check) {
    const payload = Buffer.alloc(found.payloadBytes);
    readSync(file, payload, 0, payload.length, at + HEADER_BYTES);
    if (!isWhole(found, payload)) return null;
  }
  return { bytes, values: found.values };
}

export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Records from `offset` on, at least one and at most about `maxBytes`; `null`: no whole record begins at `offset`. */
export async function readRecords(
  directory: string,
  segment: Readonly<Segment>,
  offset: number,
  maxBytes: number,
): Promise<QueueBatch | null> {
  const end = segment.bytes;
  const handle = await open(segmentFile(directory, segment.id), 'r');
  try {
    let bytes = await readBytes(handle, offset, Math.min(Math.max(maxBytes, HEADER_BYTES), end - offset));
    const first = readHeader(bytes, 0);
    if (first === null || offset + HEADER_BYTES + first.payloadBytes > end) return null;
    const firstBytes = HEADER_BYTES + first.payloadBytes;
    if (firstBytes > bytes.length) bytes = await readBytes(handle, offset, firstBytes);
    const payloads: Buffer[] = [];
    let at = 0;
    let values = 0;
    for (;;) {
      const header = readHeader(bytes, at);
      if (header === null) break;
      const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + header.payloadBytes);
      if (!isWhole(header, payload)) break;
      payloads.push(payload);
      values += header.values;
      at += HEADER_BYTES + header.payloadBytes;
    }
    if (payloads.length === 0) return null;
    return { payload: Buffer.concat(payloads), values, end: { segment: segment.id, offset: offset + at } };
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
