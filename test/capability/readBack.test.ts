import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PlanDocument } from '../../activities/release.js';
import { createFileArtifactStore } from '../../adapters/artifacts/fileStore.js';
import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import type { LiveIntent, LiveMesh } from '../../core/spec/live.js';
import type { ServicePlan } from '../../core/spec/plan.js';
import type { ServiceSpec } from '../../core/spec/region.js';
import { compareReadBack } from '../../mesh/envoy/readBack.js';
import { urlOf } from '../../testbed/neighbour.js';
import { waitFor } from '../../testbed/http.js';
import type { MessageOutcome } from '../../workflows/regionLifecycle/messages.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { runningServices } from './envoyDump.js';
import type { RunningService } from './envoyDump.js';
import { activitiesOf, resultsOf } from './history.js';
import type { Place } from './world.js';
import { startPlace } from './world.js';

interface Told {
  dump: string;
  services: Readonly<Record<string, RunningService>>;
}

/** Scaled to the capacity that is ready; the others are the plan's at every stage. */
const SCALED = /^(rateLimit\.(rps|burst|enforcedPercent)|breaker\..*|outlier\.maxEjectionPercent)$/;

/** Nine digits pass through a proxy's own way of saying a rate. */
function rounded(settings: object): Record<string, unknown> {
  const round = (value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);
  return Object.fromEntries(Object.entries(settings).map(([field, value]) => [field, round(value)]));
}

function values(settings: object, fields?: (field: string) => boolean): Record<string, unknown> {
  // The instances here are reached without a proxy of their own, so none carries those.
  const carried = Object.entries(settings).filter(([field]) => !field.startsWith('inbound.'));
  const chosen = carried.filter(([field]) => fields?.(field) ?? true);
  return rounded(
    Object.fromEntries(chosen.map(([field, setting]) => [field, (setting as { value: unknown }).value ?? setting])),
  );
}

/** The tests follow each other as a region's life does. */
describe('what the running Envoy says of itself', () => {
  let place: Place;
  let document: PlanDocument;
  let before: Told;
  beforeAll(async () => {
    place = await startPlace({ autonomy: 'observe' });
    await place.startWorker();
    await place.launch();
  }, 90_000);
  afterAll(async () => place?.stop(), 60_000);

  async function ask(): Promise<Told> {
    const admin = urlOf(place.host.proxy.admin);
    const get = async (url: string): Promise<string> => (await fetch(`${admin}${url}`)).text();
    const [dump, clusters] = [await get('/config_dump?include_eds'), await get('/clusters?format=json')];
    return { dump, services: runningServices(dump, clusters) };
  }

  /** A proxy takes what was moved into place a moment later. */
  async function eventually(check: (told: Told) => void): Promise<Told> {
    let told: Told | undefined;
    await waitFor('the proxy runs it', 10_000, async () => {
      told = await ask();
      check(told);
      return true;
    }).catch(() => undefined);
    told ??= await ask();
    check(told);
    return told;
  }

  function live(intent: Pick<LiveIntent, 'stage' | 'readyInstances'>): LiveMesh {
    const { plan } = document;
    return liveMesh(place.world.spec, plan, planHash(plan), { ...intent, adjustments: [], overrides: [] });
  }

  function planned(): { service: ServicePlan; spec: ServiceSpec }[] {
    return place.world.spec.services.map((spec) => {
      const service = document.plan.windows[0]?.services.find(({ service: name }) => name === spec.name);
      if (service === undefined) throw new Error(`${spec.name} has no plan`);
      return { service, spec };
    });
  }

  /** Endpoints of the region itself, and where it is reached: the same at every stage. */
  function expectPlaces(told: Told): void {
    expect(Object.keys(told.services).sort()).toEqual(
      planned()
        .map(({ spec }) => spec.name)
        .sort(),
    );
    for (const { service, spec } of planned()) {
      const running = told.services[spec.name];
      const sockets = spec.endpoints.slice(0, service.instances.value).map((s) => `${s.address}:${s.port}`);
      expect(running?.endpoints[place.world.spec.name]).toEqual(sockets.sort());
      const { gateway } = place.world.neighbour;
      expect(running?.endpoints[place.world.neighbour.region]).toEqual([`${gateway.address}:${gateway.port}`]);
      expect(running?.listeners).toEqual(spec.entry === undefined ? ['mesh'] : ['ingress', 'mesh']);
    }
  }

  it('is the plan at 0 % before the stack is up: all to the neighbour, limits counted and not enforced', async () => {
    await place.until('a deployment', 90_000, ({ phase }) => phase === 'pre-deploying');
    const message = { key: 'look', who: 'ada', why: 'to look at what was deployed' };
    await place.region.signal('freeze', message);
    const status = await place.until('the mesh ready', 90_000, ({ preDeployment }) => preDeployment !== null);
    expect(status).toMatchObject({ entryMoved: false, deployments: [{ kind: 'baseline' }, { kind: 'pre-deploy' }] });
    const [{ plan } = {}] = resultsOf(await activitiesOf(place.region), 'planRegion');
    if (plan === undefined) throw new Error('there is no plan');
    const store = createFileArtifactStore(path.join(place.stateDirectory, 'artifacts'));
    document = await store.getJson<PlanDocument>(plan.ref);
    expect(planHash(document.plan)).toBe(status.planHash);

    before = await ask();
    expectPlaces(before);
    const wanted = live({ stage: { localPercent: 0, enforceLimits: false } });
    for (const { service, spec } of planned()) {
      const running = before.services[spec.name];
      expect(running?.weights).toEqual({ [place.world.neighbour.region]: 100 });
      expect(values(running?.settings ?? {}, (field) => !SCALED.test(field))).toEqual(
        values(service.settings, (field) => !SCALED.test(field)),
      );
      const settings = wanted.services.find(({ service: name }) => name === spec.name)?.settings ?? {};
      expect(values(running?.settings ?? {})).toEqual(values(settings));
      expect(running?.settings['rateLimit.enforcedPercent']).toBe(0);
    }
    expect(compareReadBack(wanted, place.host, before.dump)).toEqual([]);
  }, 200_000);

  it('is the plan, value by value, in operation: its weights, its limits, and these enforced', async () => {
    const resumed = await place.psmgJson('region', 'resume', place.world.spec.name, '--why', 'seen');
    expect(resumed).toMatchObject({ accepted: true });
    const status = await place.until('operating', 120_000, ({ phase }) => phase === 'operating');
    expectAllReady(status);
    const told = await eventually(({ services }) => {
      for (const { service, spec } of planned()) {
        const weights = Object.entries(service.weights).filter(([, { value }]) => value > 0);
        expect(services[spec.name]?.weights).toEqual(Object.fromEntries(weights.map(([r, { value }]) => [r, value])));
        expect(values(services[spec.name]?.settings ?? {})).toEqual(values(service.settings));
        expect(services[spec.name]?.settings['rateLimit.enforcedPercent']).toBe(100);
      }
    });
    expectPlaces(told);
    const stage = { localPercent: 100, enforceLimits: true };
    expect(compareReadBack(live({ stage }), place.host, told.dump)).toEqual([]);
    const fields = compareReadBack(live({ stage }), place.host, before.dump).map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining([`weight.${place.world.spec.name}`, 'rateLimit.enforcedPercent']));
  }, 200_000);

  it("has a person's values, each in its own place", async () => {
    const name = 'storefront';
    const { service } = planned().find(({ spec }) => spec.name === name) ?? {};
    // In the plan each of these equals another setting, so that a mix-up of the two would not show.
    const wanted = { 'breaker.maxPendingRequests': 41, 'rateLimit.rps': 123.4, 'outlier.intervalMs': 1300 };
    for (const [field, value] of Object.entries(wanted)) {
      const message = { key: field, who: 'ada', why: 'to tell it apart', address: `${name}.${field}`, value };
      const outcome = await place.region.executeUpdate<MessageOutcome, [unknown]>('override', { args: [message] });
      expect(outcome).toMatchObject({ accepted: true });
    }
    const told = await ask();
    expect(values(told.services[name]?.settings ?? {})).toEqual({ ...values(service?.settings ?? {}), ...wanted });
  }, 60_000);

  it('is what it was before the stack after a rollback, and the plan again after resume', async () => {
    const { name } = place.world.spec;
    const operating = (await ask()).services;
    const { deployments } = await place.status();
    const id = deployments.find(({ kind }) => kind === 'pre-deploy')?.id ?? '';
    const rolled = await place.psmgJson('region', 'rollback', name, id, '--why', 'to see it again', '--yes', name);
    expect(rolled).toMatchObject({ accepted: true });
    await eventually(({ services }) => expect(services).toEqual(before.services));
    expect((await place.world.load.report()).entry).toBe(place.world.neighbour.region);
    expect((await place.status()).freeze).toMatchObject({ why: expect.stringContaining(id) });

    expect(await place.psmgJson('region', 'resume', name, '--why', 'seen')).toMatchObject({ accepted: true });
    await eventually(({ services }) => expect(services).toEqual(operating));
    expect((await place.world.load.report()).entry).toBe(name);
  }, 120_000);

  function expectAllReady(status: RegionStatus): void {
    const instances = planned().map(({ service }) => [service.service, service.instances.value]);
    expect(status.stack?.readyInstances).toEqual(Object.fromEntries(instances));
  }
});
