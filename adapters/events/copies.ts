import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** The last good text of a remote source. */
export interface Copy {
  /** The address that was asked; its ETag holds for no other. */
  url: string;
  text: string;
  /** Milliseconds since the epoch. */
  fetchedAt: number;
  etag?: string;
  lastModified?: string;
}

const copySchema = z.object({
  url: z.string(),
  text: z.string(),
  fetchedAt: z.number(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});

/** The copy kept under a key; `null` when there is none that can be read: a copy is a help, never a condition. */
export async function readCopy(directory: string, key: string): Promise<Copy | null> {
  try {
    const parsed = copySchema.safeParse(JSON.parse(await readFile(fileOf(directory, key), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Keeps a copy, whole or not at all. Says why when it cannot. */
export async function writeCopy(directory: string, key: string, copy: Copy): Promise<string | null> {
  const file = fileOf(directory, key);
  const draft = `${file}.${randomUUID()}`;
  try {
    await mkdir(directory, { recursive: true });
    // What a calendar says may be private, and a token may have been needed to read it.
    await writeFile(draft, JSON.stringify(copy), { mode: 0o600 });
    await rename(draft, file);
    return null;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    return error instanceof Error ? error.message : String(error);
  }
}

function fileOf(directory: string, key: string): string {
  return path.join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
}
