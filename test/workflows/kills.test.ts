import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { KillResult } from '../../bench/kills/campaignRun.js';
import { runKills } from '../../bench/kills/campaignRun.js';

jest.setTimeout(300_000);

const KILLS = 10;
const SEED = 7;

/** `npm run campaign:kills` does hundreds, at every boundary. */
describe(`lives whose worker is killed ${KILLS} times, and whose server is killed once`, () => {
  let folder: string;
  let result: KillResult;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'psmg-kills-'));
    result = await runKills({
      folder,
      kills: KILLS,
      serverKills: 1,
      seed: SEED,
      lives: 2,
      expiresMs: 4000,
      say: () => undefined,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('come to the end that undisturbed ones came to, by the same effects, each done once, with every message', () => {
    expect(result.failures).toEqual([]);
    expect(result.lives).toBeGreaterThanOrEqual(2);
    expect(result.messages).toBeGreaterThan(15);
  });

  it('were killed by SIGKILL, at boundaries of their activities and at any time, and went on', () => {
    const worker = result.kills.filter(({ at }) => at !== 'server');
    expect(worker).toHaveLength(KILLS);
    expect(result.kills).toHaveLength(KILLS + 1);
    expect(new Set(worker.map(({ at }) => at)).size).toBeGreaterThan(3);
    expect(result.kills.some(({ recoveredMs }) => recoveredMs !== null)).toBe(true);
  });
});
