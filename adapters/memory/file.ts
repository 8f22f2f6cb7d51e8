import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import type { ForecastMemory, RegionMemory } from './port.js';

const refSchema = z.strictObject({ kind: z.string(), hash: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number() });
const memorySchema = z.strictObject({ choices: refSchema.optional(), lstm: refSchema.optional() });

/**
 * One small file a region, replaced whole. Of two writers at once the last wins for what it gave: both are right, as
 * either was made from the region's own history. A file that cannot be read counts as none: the price is one choice anew.
 */
export function createFileMemory(directory: string): ForecastMemory {
  const fileOf = (region: string): string => path.join(directory, `${encodeURIComponent(region)}.json`);
  const recall = async (region: string): Promise<RegionMemory> => {
    const text = await readFile(fileOf(region), 'utf8').catch(() => '{}');
    const parsed = memorySchema.safeParse(jsonOf(text));
    if (!parsed.success) return {};
    const { choices, lstm } = parsed.data;
    return { ...(choices === undefined ? {} : { choices }), ...(lstm === undefined ? {} : { lstm }) };
  };
  return {
    recall,
    async remember(region, memory): Promise<void> {
      await mkdir(directory, { recursive: true });
      const scratch = `${fileOf(region)}.${randomUUID()}.tmp`;
      try {
        await writeFile(scratch, JSON.stringify({ ...(await recall(region)), ...memory }));
        await rename(scratch, fileOf(region));
      } finally {
        await rm(scratch, { force: true });
      }
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
