import { mkdirSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { MetricsStoreClosedError, MetricsStoreFullError } from '../../errors.js';
import { QueueFullError } from '../errors.js';
import type { QueuePosition } from './cursor.js';
import { readCursor, writeCursor } from './cursor.js';
import { lockDirectory } from './lock.js';
import type { QueueRecord } from './record.js';
import { encodeRecord } from './record.js';
import type { QueueBatch, Segment } from './segments.js';
import { inspectSegment, readRecords, segmentFile, segmentIds, syncDirectory } from './segments.js';

/**
 * Batches in order on disk, first in, first out, for one process at a time. Nothing of it is held in memory but the
 * appends that are being written and the batch that is being sent.
 */
export interface DiskQueue {
  /**
   * Resolves when the records are on disk, all of them; concurrent appends share one fsync. Rejects, with none of them
   * kept, with QueueFullError or with what the disk said.
   */
  append(records: readonly QueueRecord[]): Promise<void>;
  /** The oldest records, at least one and at most about `maxBytes`; `null` when nothing waits. */
  peek(maxBytes: number): Promise<QueueBatch | null>;
  /** What `peek` gave was taken: it is never given again. */
  acknowledge(batch: QueueBatch): Promise<void>;
  size(): { bytes: number; values: number };
  close(): Promise<void>;
}

export interface DiskQueueOptions {
  directory: string;
  /** Bound on what waits; files hold up to one segment more. */
  maxBytes: number;
  segmentBytes?: number;
  /** Bytes elsewhere that count as if they waited. */
  otherBytes?: () => number;
  log?: (line: string) => void;
}

interface Append {
  bytes: Buffer;
  values: number;
  resolve(): void;
  reject(error: unknown): void;
}

export const MAX_QUEUE_BYTES = 256 * 1024 * 1024;
const SEGMENT_BYTES = 8 * 1024 * 1024;

const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function diskFull(directory: string, cause: unknown): MetricsStoreFullError {
  return new MetricsStoreFullError(`the disk of the metrics queue in ${directory} is full: new rows are refused`, {
    cause,
  });
}

/** Throws QueueLockedError when another store has the folder. */
export function openDiskQueue(options: DiskQueueOptions): DiskQueue {
  mkdirSync(options.directory, { recursive: true });
  const unlock = lockDirectory(options.directory);
  try {
    return new SegmentedQueue(options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

class SegmentedQueue implements DiskQueue {
  private readonly directory: string;
  private readonly segments: Segment[];
  private cursor: QueuePosition;
  private waiting: Append[] = [];
  /** Bytes of appends that were taken and are not on disk yet. */
  private reservedBytes = 0;
  private writing: Promise<void> | null = null;
  private active: { id: number; handle: FileHandle } | null = null;
  private closed = false;
  private readonly options: DiskQueueOptions;
  private readonly unlock: () => void;

  constructor(options: DiskQueueOptions, unlock: () => void) {
    this.options = options;
    this.unlock = unlock;
    this.directory = options.directory;
    const cursor = readCursor(this.directory);
    const ids = segmentIds(this.directory);
    // Taken long ago; only their removal was cut short.
    for (const id of ids.filter((one) => one < (cursor?.segment ?? 0))) rmSync(segmentFile(this.directory, id));
    const kept = ids.filter((id) => id >= (cursor?.segment ?? 0));
    this.cursor = { segment: kept[0] ?? (cursor?.segment ?? 0) + 1, offset: 0 };
    if (cursor !== null && cursor.segment === kept[0]) this.cursor = cursor;
    this.segments = kept.map((id) => inspectSegment(this.directory, id, this.offsetIn(id), id === kept.at(-1)));
    const first = this.segments[0];
    if (first !== undefined) this.cursor.offset = Math.min(this.cursor.offset, first.bytes);
  }

  private offsetIn(segment: number): number {
    return segment === this.cursor.segment ? this.cursor.offset : 0;
  }

  size(): { bytes: number; values: number } {
    const bytes = this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
    const taken = this.offsetIn(this.segments[0]?.id ?? -1);
    return {
      bytes: Math.max(0, bytes - taken),
      values: this.segments.reduce((sum, segment) => sum + segment.values, 0),
    };
  }

  async append(records: readonly QueueRecord[]): Promise<void> {
    if (this.closed) throw new MetricsStoreClosedError();
    const bytes = Buffer.concat(records.map(encodeRecord));
    const taken = this.size().bytes + this.reservedBytes + (this.options.otherBytes?.() ?? 0);
    if (taken + bytes.length > this.options.maxBytes) {
      throw new QueueFullError(this.directory, this.options.maxBytes);
    }
    this.reservedBytes += bytes.length;
    const values = records.reduce((sum, record) => sum + record.values, 0);
    const written = new Promise<void>((resolve, reject) => this.waiting.push({ bytes, values, resolve, reject }));
    this.writing ??= this.writeWaiting().finally(() => (this.writing = null));
    return written;
  }

  /** Whatever came while the last fsync ran goes with the next one. */
  private async writeWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      try {
        await this.writeGroup(group);
        group.forEach((append) => append.resolve());
      } catch (error) {
        const said = DISK_FULL.has((error as NodeJS.ErrnoException).code ?? '')
          ? diskFull(this.directory, error)
          : error;
        group.forEach((append) => append.reject(said));
      }
    }
  }

  private async writeGroup(group: readonly Append[]): Promise<void> {
    const bytes = group.length === 1 && group[0] ? group[0].bytes : Buffer.concat(group.map((append) => append.bytes));
    try {
      const { handle, segment } = await this.activeSegment();
      try {
        for (let done = 0; done < bytes.length;) {
          done += (await handle.write(bytes, done, bytes.length - done, segment.bytes + done)).bytesWritten;
        }
        await handle.datasync();
      } catch (error) {
        // Half a batch at the end would hide every later one from the reader.
        await handle.truncate(segment.bytes).catch(() => undefined);
        throw error;
      }
      segment.bytes += bytes.length;
      segment.values += group.reduce((sum, append) => sum + append.values, 0);
    } finally {
      this.reservedBytes -= bytes.length;
    }
  }

  private async activeSegment(): Promise<{ handle: FileHandle; segment: Segment }> {
    const last = this.segments.at(-1);
    const limit = this.options.segmentBytes ?? SEGMENT_BYTES;
    if (last !== undefined && last.bytes < limit) {
      this.active ??= { id: last.id, handle: await open(segmentFile(this.directory, last.id), 'r+') };
      return { handle: this.active.handle, segment: last };
    }
    await this.active?.handle.close();
    this.active = null;
    const segment = { id: last === undefined ? this.cursor.segment : last.id + 1, bytes: 0, values: 0 };
    const handle = await open(segmentFile(this.directory, segment.id), 'w');
    syncDirectory(this.directory);
    this.active = { id: segment.id, handle };
    this.segments.push(segment);
    return { handle, segment };
  }

  async peek(maxBytes: number): Promise<QueueBatch | null> {
    for (;;) {
      const segment = this.segments.find(({ id }) => id >= this.cursor.segment);
      if (segment === undefined) return null;
      const offset = this.offsetIn(segment.id);
      if (offset >= segment.bytes) {
        if (segment === this.segments.at(-1)) return null;
        await this.dropFirst();
        continue;
      }
      const batch = await readRecords(this.directory, segment, offset, maxBytes);
      if (batch !== null) return batch;
      await this.setDamagedAside(segment, offset);
    }
  }

  async acknowledge(batch: QueueBatch): Promise<void> {
    const segment = this.segments.find(({ id }) => id === batch.end.segment);
    if (segment !== undefined) segment.values = Math.max(0, segment.values - batch.values);
    this.cursor = batch.end;
    await writeCursor(this.directory, batch.end);
    while (this.segments[0] !== undefined && this.segments[0].id < this.cursor.segment) await this.dropFirst();
  }

  private async dropFirst(): Promise<void> {
    const first = this.segments[0];
    const next = this.segments[1];
    if (first === undefined || next === undefined) return;
    if (this.cursor.segment <= first.id) {
      this.cursor = { segment: next.id, offset: 0 };
      await writeCursor(this.directory, this.cursor);
    }
    this.segments.shift();
    await rm(segmentFile(this.directory, first.id), { force: true });
  }

  /** Bytes that are no record, though their write had ended: kept for people, and out of the way of all others. */
  private async setDamagedAside(segment: Segment, offset: number): Promise<void> {
    const name = `damaged-${String(segment.id).padStart(8, '0')}.seg`;
    this.options.log?.(`metrics queue: ${segment.values} values from byte ${offset} on are unreadable: see ${name}`);
    // Appends must not go on in a file that is moved away.
    if (this.writing !== null) await this.writing;
    if (this.active?.id === segment.id) {
      await this.active.handle.close();
      this.active = null;
    }
    const at = this.segments.indexOf(segment);
    const next = this.segments[at + 1];
    this.segments.splice(at, 1);
    this.cursor = { segment: next?.id ?? segment.id + 1, offset: 0 };
    await writeCursor(this.directory, this.cursor);
    await rename(segmentFile(this.directory, segment.id), path.join(this.directory, name));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.writing;
    await this.active?.handle.close();
    this.active = null;
    this.unlock();
  }
}
