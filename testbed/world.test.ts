import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseRegion } from '../core/spec/parseRegion.js';
import { requestJson, waitFor } from './http.js';
import type { EntryRequest } from './load.js';
import { processIdentity, startedAt } from './processes.js';
import { startWorld } from './world.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-world-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const recordFolders = (): string[] => [path.join(directory, 'pids'), path.join(directory, 'neighbour', 'pids')];

function recordedPids(): number[] {
  return recordFolders().flatMap((folder) =>
    readdirSync(folder).map((file) => {
      const { pid } = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as { pid: number };
      return pid;
    }),
  );
}

/** A process as a run that crashed would leave it, in the neighbour's part of the folder. */
function leaveOrphan(name: string): ReturnType<typeof spawn> {
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true });
  const [, folder = ''] = recordFolders();
  mkdirSync(folder, { recursive: true });
  const record = { pid: orphan.pid, identity: processIdentity(orphan.pid ?? 0) };
  writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(record));
  return orphan;
}

describe('a world', () => {
  it('serves users at the neighbour, has no instance of ours, and leaves nothing behind', async () => {
    const orphan = leaveOrphan('old-envoy');
    const world = await startWorld({ directory, seed: 3, speed: 60, rateScale: 0.5, judgeSeconds: 2, tickSeconds: 3 });
    expect(world.leftovers).toEqual(['old-envoy']);
    expect(startedAt(orphan.pid ?? 0)).toBeNull();
    const pids = recordedPids();
    expect(pids).toHaveLength(4);
    expect(pids.map(startedAt)).not.toContain(null);
    try {
      expect(parseRegion(world.regionText)).toMatchObject({ ok: true });
      expect(world.spec).toMatchObject({
        activation: { judgeSeconds: 2 },
        operate: { tickSeconds: 3 },
        demandClock: { speed: 60 },
        hooks: {
          instanceTargets: { url: `${world.application.url}/targets` },
          entry: { url: `${world.load.url}/entry` },
        },
        neighbours: [{ gateway: world.neighbour.gateway }],
      });
      expect(world.regionText).toContain('# Who calls whom');
      const report = await waitFor('users served', 15_000, async () => {
        const seen = await world.load.report();
        return seen.totals.ok2xx >= 40 ? seen : undefined;
      });
      expect(report.totals).toMatchObject({ server5xx: 0, connectionErrors: 0, dropped: 0 });
      expect(report.entry).toBe(world.neighbour.region);
      expect((await world.application.status()).firstInstanceStartedAt).toBeNull();
      const region = world.spec.name;
      const targets = world.spec.services.map(({ name }) => ({ service: name, instances: 1 }));
      await requestJson(`${world.application.url}/targets`, { region, planHash: 'x', targets });
      await waitFor('instances', 15_000, async () => {
        const { services } = await world.application.status();
        return Object.values(services).every((s) => s.ready === 1);
      });
      const { entry } = world.spec.hooks;
      const entryUrl = entry !== undefined && 'url' in entry ? entry.url : '';
      await requestJson(entryUrl, { region, phase: 'activate' } satisfies EntryRequest);
      expect((await world.load.report()).entry).toBe(region);
    } finally {
      await world.stop();
    }
    expect(pids.map(startedAt)).toEqual([null, null, null, null]);
    expect(recordedPids()).toEqual([]);
    await expect(fetch(`${world.load.url}/stats`)).rejects.toThrow();
    await expect(fetch(`${world.neighbour.adminUrl}/ready`)).rejects.toThrow();
    await expect(fetch(`${world.application.url}/status`)).rejects.toThrow();
  }, 60_000);
});
