import { createReadStream } from 'node:fs';
import type { AuditLog, AuditRead } from './port.js';
import { parseRecord } from '../../core/audit/parseRecord.js';
import type { ChainReport, VerifyOptions } from '../../core/audit/verify.js';
import { ChainVerifier } from '../../core/audit/verify.js';

/** Small enough that a page is garbage before it is old. */
const PAGE = 500;

/** A region's records one by one, from `fromSeq` to `toSeq` (absent: all), in memory that does not grow with them. */
export async function* recordsOf(
  audit: AuditLog,
  region: string,
  fromSeq = 1,
  toSeq = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<readonly AuditRead[]> {
  for (let next = fromSeq; next <= toSeq;) {
    const page = await audit.read(region, next, Math.min(PAGE, toSeq - next + 1));
    if (page.length === 0) return;
    yield page;
    const last = page.at(-1)?.place ?? next;
    next = last + 1;
  }
}

/** The records of an export, one JSON object a line. Empty lines are passed over. Rejects when it cannot be read. */
export async function* recordsOfFile(file: string): AsyncGenerator<readonly AuditRead[]> {
  let rest = '';
  let line = 0;
  const toReads = (lines: readonly string[]): AuditRead[] =>
    lines.flatMap((text): AuditRead[] => {
      line += 1;
      if (text.trim() === '') return [];
      const record = parseRecord(text);
      return [
        typeof record === 'string' ? { ok: false, place: line, detail: record } : { ok: true, place: line, record },
      ];
    });
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield toReads(lines);
  }
  yield toReads([rest]);
}

/** Verifies the records of one region as they come. */
export async function verifyPages(
  pages: AsyncIterable<readonly AuditRead[]>,
  options: VerifyOptions,
): Promise<ChainReport> {
  const verifier = new ChainVerifier(options);
  for await (const page of pages) {
    for (const read of page) {
      if (read.ok) verifier.take(read.place, read.record);
      else verifier.takeUnreadable(read.place, read.detail);
    }
  }
  return verifier.finish();
}
