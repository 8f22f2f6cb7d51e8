import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { locatePart } from '../../scripts/parts/locate.js';
import { waitFor } from '../../testbed/http.js';
import type { LoadReport } from '../../testbed/load.js';
import { urlOf } from '../../testbed/neighbour.js';
import { projectRoot } from '../../testbed/run.js';
import { runningServices } from './envoyDump.js';
import { normalised, readDrill, writeDrill } from './transcript.js';
import type { Place } from './world.js';
import { startPlace } from './world.js';

const PAGE = path.join(projectRoot, 'docs', 'operations.md');
const isUpdate = process.env['UPDATE_TRANSCRIPT'] === '1';

/** Nothing but the lines of the page is sent; they follow each other as they do there. */
describe('the incident drill of docs/operations.md, typed as it stands', () => {
  const steps = readDrill(readFileSync(PAGE, 'utf8'));
  const printed: string[] = [];
  let place: Place;
  let calm: Readonly<Record<string, Readonly<Record<string, number>>>>;
  let start: LoadReport;
  beforeAll(async () => {
    place = await startPlace();
    await place.startWorker();
    await place.launch();
    await place.until('operating', 240_000, ({ phase, tuner }) => phase === 'operating' && tuner.state === 'running');
    calm = await weights();
    start = await place.world.load.report();
  }, 300_000);
  afterAll(async () => place?.stop(), 60_000);

  /** Types a step's lines into a shell that knows the server by its environment alone. */
  async function type(index: number): Promise<string> {
    const step = steps[index];
    if (step === undefined) throw new Error(`the page has no step ${index + 1}`);
    const { address } = (place.client.connection as Connection).options;
    const found = `export TEMPORAL_ADDRESS=${address} PATH=${path.dirname(locatePart('temporal'))}:$PATH`;
    const { code, stdout, stderr } = await place.run('sh', '-c', `${found}\n${step.lines.join('\n')}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    printed[index] = normalised(stdout);
    return stdout;
  }

  /** Percent by region, by service, as the region's proxy runs them. */
  async function weights(): Promise<Record<string, Readonly<Record<string, number>>>> {
    const admin = urlOf(place.host.proxy.admin);
    const get = async (url: string): Promise<string> => (await fetch(`${admin}${url}`)).text();
    const services = runningServices(await get('/config_dump?include_eds'), await get('/clusters?format=json'));
    return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, service.weights]));
  }

  async function eventuallyWeights(expected: Record<string, unknown>): Promise<void> {
    await waitFor('the proxy runs it', 10_000, async () => {
      expect(await weights()).toEqual(expected);
      return true;
    }).catch(() => undefined);
    expect(await weights()).toEqual(expected);
  }

  /** Users go on being served, at `entry`, and not one request of theirs was lost since the drill began. */
  async function expectNobodyLost(entry: string): Promise<void> {
    const before = await place.world.load.report();
    const after = await waitFor('users served', 30_000, async () => {
      const report = await place.world.load.report();
      return report.totals.ok2xx >= before.totals.ok2xx + 10 ? report : undefined;
    });
    const lost = ({
      totals: { client4xx, limited429, server5xx, connectionErrors, dropped },
    }: LoadReport): unknown => ({
      ...{ client4xx, limited429, server5xx, connectionErrors, dropped },
    });
    expect({ lost: lost(after), failures: after.failures.slice(start.failures.length) }).toEqual({
      lost: lost(start),
      failures: [],
    });
    expect(after.entry).toBe(entry);
  }

  it('1. freeze: the adjustment has confirmed, and the proxies stay as they are', async () => {
    expect(await type(0)).toContain('the adjustment has confirmed');
    const { freeze, phase } = await place.status();
    expect({ freeze, phase }).toMatchObject({ freeze: { who: 'ada', why: 'errors in checkout' }, phase: 'operating' });
    await eventuallyWeights(calm);
    await expectNobodyLost(place.world.spec.name);
  }, 60_000);

  it('2. override: half of the requests of checkout go elsewhere, of the others as before', async () => {
    expect(await type(1)).toContain('in force on every proxy');
    const { overrides } = await place.status();
    expect(overrides).toMatchObject([{ address: 'checkout.weight.eu-central', value: 50, who: 'ada' }]);
    await eventuallyWeights({ ...calm, checkout: { 'eu-west': 50, 'eu-central': 50 } });
    await expectNobodyLost(place.world.spec.name);
  }, 60_000);

  it('3. drain: the users go elsewhere, and so do all requests but those that a person kept here', async () => {
    expect(await type(2)).toContain('until clear-override: checkout.weight.eu-central');
    await place.until('drained', 90_000, ({ phase }) => phase === 'drained');
    expect(await place.status()).toMatchObject({ entryMoved: false, blocked: null });
    const elsewhere = Object.fromEntries(Object.keys(calm).map((name) => [name, { 'eu-central': 100 }]));
    await eventuallyWeights({ ...elsewhere, checkout: { 'eu-west': 50, 'eu-central': 50 } });
    await expectNobodyLost('eu-central');
  }, 120_000);

  it('4. rollback: the deployment before runs byte for byte, and the override is recorded but not in force', async () => {
    const { deployments, currentHash } = await place.status();
    const before = deployments.filter(({ hash }) => hash !== currentHash).at(-1);
    expect(await type(3)).toContain('not in force: checkout.weight.eu-central');
    const status = await place.status();
    expect(status).toMatchObject({ rolledBackTo: before?.id, currentHash: before?.hash, blocked: null });
    expect(status.overrides).toHaveLength(1);
    // Half-way through the drain, as that deployment was.
    const half = Object.fromEntries(Object.keys(calm).map((name) => [name, { 'eu-west': 50, 'eu-central': 50 }]));
    await eventuallyWeights(half);
    await expectNobodyLost('eu-central');
  }, 60_000);

  it('5. resume: plan, override, tuner and users are back', async () => {
    expect(await type(4)).toContain('the users come back');
    const status = await place.until(
      'operating',
      120_000,
      (s) => s.phase === 'operating' && s.tuner.state === 'running',
    );
    expect(status).toMatchObject({ freeze: null, rolledBackTo: null, blocked: null, entryMoved: true });
    await eventuallyWeights({ ...calm, checkout: { 'eu-west': 50, 'eu-central': 50 } });
    await expectNobodyLost(place.world.spec.name);
  }, 150_000);

  it('prints what the page shows', () => {
    expect(printed).toHaveLength(steps.length);
    const text = readFileSync(PAGE, 'utf8');
    if (isUpdate) writeFileSync(PAGE, writeDrill(text, printed));
    expect(readDrill(readFileSync(PAGE, 'utf8')).map(({ printed: shown }) => shown)).toEqual(printed);
  });
});
