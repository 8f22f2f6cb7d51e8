import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { urlOf } from '../../testbed/neighbour.js';
import { waitFor } from '../../testbed/http.js';
import type { LoadReport } from '../../testbed/load.js';
import type { MessageName, MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import { runningServices } from './envoyDump.js';
import type { Place } from './world.js';
import { startPlace } from './world.js';

/** What a person has in the host's folder before there is any PSMG, one of them under a name of ours. */
const BEFORE = { 'dyn/lds.yaml': '# a person wrote this\nresources: []\n', 'dyn/notes.txt': 'ours, not yours\n' };

/** The tests follow each other as the end of a region's life does. */
describe('leaving a region, on real proxies and under load', () => {
  let place: Place;
  let atStart: Record<string, string>;
  beforeAll(async () => {
    place = await startPlace();
    for (const [file, text] of Object.entries(BEFORE)) {
      const whole = path.join(place.host.directory, file);
      mkdirSync(path.dirname(whole), { recursive: true });
      writeFileSync(whole, text);
    }
    atStart = files();
    await place.startWorker();
    await place.launch();
    await place.until('operating', 120_000, ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');
  }, 180_000);
  afterAll(async () => place?.stop(), 60_000);

  /** All that a proxy reads: its bootstrap and what it watches. */
  function files(): Record<string, string> {
    const { directory } = place.host;
    const dynamic = readdirSync(path.join(directory, 'dyn'), { recursive: true, withFileTypes: true });
    const names = dynamic.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    const top = readdirSync(directory).filter((name) => name === 'bootstrap.yaml');
    const all = [...names, ...top.map((name) => path.join(directory, name))].sort();
    return Object.fromEntries(all.map((file) => [path.relative(directory, file), readFileSync(file, 'utf8')]));
  }

  async function ask(name: MessageName): Promise<MessageOutcome> {
    const message = { key: `${name}-${Date.now()}`, who: 'ada', why: 'the building closes' };
    return place.region.executeUpdate<MessageOutcome, [unknown]>(name, { args: [message] });
  }

  /** Percent that this region answers itself, by service, as its proxy runs it. */
  async function ownWeights(): Promise<number[]> {
    const admin = urlOf(place.host.proxy.admin);
    const get = async (url: string): Promise<string> => (await fetch(`${admin}${url}`)).text();
    const services = runningServices(await get('/config_dump?include_eds'), await get('/clusters?format=json'));
    return Object.values(services).map(({ weights }) => weights[place.world.spec.name] ?? 0);
  }

  /** Users go on being served for a while, and nothing of what they asked has failed since `before`. */
  async function expectAllServedSince(before: LoadReport, entry: string): Promise<LoadReport> {
    const after = await waitFor('users served', 30_000, async () => {
      const report = await place.world.load.report();
      return report.totals.ok2xx >= before.totals.ok2xx + 20 ? report : undefined;
    });
    const failed = ({ totals }: LoadReport): number[] => [totals.server5xx, totals.connectionErrors, totals.dropped];
    expect(failed(after)).toEqual(failed(before));
    expect(after.entry).toBe(entry);
    return after;
  }

  it('drain has all requests answered by the neighbour, and none fails on the way', async () => {
    const before = await place.world.load.report();
    expect(await ask('drain')).toMatchObject({ accepted: true });
    const status = await place.until('drained', 90_000, ({ phase }) => phase === 'drained');
    expect(status.deployments.filter(({ kind }) => kind === 'drain').map((d) => d.localPercent)).toEqual([50, 0]);
    expect(new Set(await ownWeights())).toEqual(new Set([0]));
    await expectAllServedSince(before, place.world.neighbour.region);
  }, 120_000);

  it('resume brings the users back through every stage, and none of their requests fails', async () => {
    const before = await place.world.load.report();
    expect(await ask('resume')).toMatchObject({ accepted: true });
    await place.until('operating', 120_000, ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');
    expect((await ownWeights()).every((percent) => percent > 0)).toBe(true);
    await expectAllServedSince(before, place.world.spec.name);
  }, 150_000);

  it('retire leaves the host byte for byte as it was before the first write, and the users elsewhere', async () => {
    const before = await place.world.load.report();
    expect(files()['dyn/lds.yaml']).not.toBe(BEFORE['dyn/lds.yaml']);
    expect(await ask('retire')).toMatchObject({ accepted: true });
    expect(await place.region.result()).toMatchObject({ phase: 'retired' });
    expect(files()).toEqual(atStart);
    await expectAllServedSince(before, place.world.neighbour.region);
    const { stdout } = await place.temporal('workflow', 'describe', '--workflow-id', place.region.workflowId);
    expect(stdout).toMatch(/retired/);
    await expect(ask('drain')).rejects.toThrow();
  }, 150_000);
});
