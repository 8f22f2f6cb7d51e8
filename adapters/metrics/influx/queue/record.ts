import { crc32 } from 'node:zlib';

/**
 * A batch on disk: magic, length of the payload, CRC-32 of values and payload, values; each 4 bytes, little-endian; then
 * the payload: whole lines of line protocol, each ended by a newline.
 */
export const HEADER_BYTES = 16;
const MAGIC = 0x50_53_4d_51;

export interface QueueRecord {
  payload: Buffer;
  /** Values (one field of one row) in the payload. */
  values: number;
}

export interface RecordHeader {
  payloadBytes: number;
  crc: number;
  values: number;
}

export function encodeRecord(record: QueueRecord): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(record.payload.length, 4);
  header.writeUInt32LE(checksum(record.payload, record.values), 8);
  header.writeUInt32LE(record.values, 12);
  return Buffer.concat([header, record.payload]);
}

/** `null`: no record begins there. */
export function readHeader(bytes: Buffer, offset: number): RecordHeader | null {
  if (offset + HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return null;
  return {
    payloadBytes: bytes.readUInt32LE(offset + 4),
    crc: bytes.readUInt32LE(offset + 8),
    values: bytes.readUInt32LE(offset + 12),
  };
}

/** Whether the payload is the one that the header was written for. */
export function isWhole(header: RecordHeader, payload: Buffer): boolean {
  return payload.length === header.payloadBytes && checksum(payload, header.values) === header.crc;
}

function checksum(payload: Buffer, values: number): number {
  return crc32(payload, values);
}
