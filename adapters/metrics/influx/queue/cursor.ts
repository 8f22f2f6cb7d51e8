import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Everything before it was acknowledged by the server. */
export interface QueuePosition {
  segment: number;
  offset: number;
}

const FILE = 'cursor.json';

/** `null` when there is none, or it is unreadable: then everything on disk is sent again, which changes nothing. */
export function readCursor(directory: string): QueuePosition | null {
  try {
    const { segment, offset } = JSON.parse(readFileSync(path.join(directory, FILE), 'utf8')) as Partial<QueuePosition>;
    if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(offset)) return null;
    return { segment: Number(segment), offset: Number(offset) };
  } catch {
    return null;
  }
}

/** Either the old position or the new one is found afterwards, whatever happens meanwhile. */
export async function writeCursor(directory: string, position: QueuePosition): Promise<void> {
  const next = path.join(directory, `${FILE}.next`);
  const file = await open(next, 'w');
  try {
    await file.writeFile(JSON.stringify(position));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(next, path.join(directory, FILE));
}
