import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requestJson, waitFor } from '../http.js';
import { freePort, freePortRange } from '../ports.js';
import { startOrchestrator } from './orchestrator.js';
import type { ApplicationStatus, Orchestrator } from './orchestrator.js';

let orchestrator: Orchestrator;
let first: number;

beforeEach(async () => {
  first = await freePortRange(3);
  orchestrator = await startOrchestrator({
    region: 'here',
    control: { address: '127.0.0.1', port: await freePort() },
    mesh: { address: '127.0.0.1', port: 1 },
    seed: 1,
    drainMs: 100,
    services: [
      {
        name: 'shop',
        endpoints: [0, 1, 2].map((i) => ({ address: '127.0.0.1', port: first + i })),
        healthPath: '/healthz',
        concurrency: 2,
        serviceTimeMs: 2,
        distribution: 'lognormal',
        startupSeconds: 0.2,
        maxQueue: 10,
        callees: [],
      },
    ],
  });
});
afterEach(async () => orchestrator.stop());

async function targets(instances: number, service = 'shop', region = 'here'): Promise<unknown> {
  const body = { region, planHash: 'abc', targets: [{ service, instances }] };
  return requestJson(`${orchestrator.url}/targets`, body);
}

async function shop(): Promise<ApplicationStatus['services'][string]> {
  const { services } = await requestJson<ApplicationStatus>(`${orchestrator.url}/status`);
  const status = services['shop'];
  if (status === undefined) throw new Error('no shop');
  return status;
}

async function readyInstances(count: number): Promise<void> {
  await waitFor(`${count} ready`, 5000, async () => {
    const { ready, running } = await shop();
    return ready === count && running === count;
  });
}

async function answers(index: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${first + index}/`).then(
    (response) => response.ok,
    () => false,
  );
}

describe('the orchestrator', () => {
  it('runs nothing before it is told to', async () => {
    expect(orchestrator.status()).toMatchObject({ planHash: null, firstInstanceStartedAt: null });
    expect(await shop()).toMatchObject({ target: 0, running: 0, ready: 0 });
  });

  it('starts instances on the first endpoints, with their cold start', async () => {
    const before = Date.now();
    await targets(2);
    expect(await shop()).toMatchObject({ target: 2, running: 2, ready: 0 });
    await readyInstances(2);
    expect(Date.now() - before).toBeGreaterThanOrEqual(190);
    expect([await answers(0), await answers(1), await answers(2)]).toEqual([true, true, false]);
    const { planHash, firstInstanceStartedAt, firstInstanceReadyAt } = orchestrator.status();
    expect(planHash).toBe('abc');
    expect(Date.parse(firstInstanceStartedAt ?? '')).toBeGreaterThanOrEqual(before);
    expect(Date.parse(firstInstanceReadyAt ?? '')).toBeGreaterThan(Date.parse(firstInstanceStartedAt ?? ''));
  });

  it('takes the same targets twice and changes nothing', async () => {
    await targets(1);
    await readyInstances(1);
    const { firstInstanceStartedAt } = orchestrator.status();
    await targets(1);
    expect(await shop()).toMatchObject({ running: 1, ready: 1 });
    expect(orchestrator.status().firstInstanceStartedAt).toBe(firstInstanceStartedAt);
  });

  it('stops the last ones first, gracefully, and can start them again meanwhile', async () => {
    await targets(3);
    await readyInstances(3);
    await targets(1);
    expect(await answers(2)).toBe(true);
    await targets(2);
    await readyInstances(2);
    expect([await answers(0), await answers(1), await answers(2)]).toEqual([true, true, false]);
  });

  it('starts no more than there are endpoints, and says so', async () => {
    const accepted = [{ service: 'shop', requested: 9, target: 3 }];
    expect(await targets(9)).toEqual({ accepted });
  });

  it('refuses what it cannot do, in words', async () => {
    await expect(targets(1, 'pay')).rejects.toThrow(/400.*pay is not a service of here/);
    await expect(targets(-1)).rejects.toThrow(/400.*whole number/);
    await expect(targets(1, 'shop', 'there')).rejects.toThrow(/400.*this is here, not there/);
    await expect(requestJson(`${orchestrator.url}/targets`, {})).rejects.toThrow(/400.*targets/);
    await expect(requestJson(`${orchestrator.url}/nothing`)).rejects.toThrow(/404/);
    expect(await shop()).toMatchObject({ running: 0 });
  });

  it('injects faults, and starts a killed instance again with the next targets', async () => {
    await targets(2);
    await readyInstances(2);
    await requestJson(`${orchestrator.url}/fault`, { service: 'shop', instance: 0, failRate: 1 });
    expect([await answers(0), await answers(1)]).toEqual([false, true]);
    await requestJson(`${orchestrator.url}/fault`, { service: 'shop', instance: 0, kill: true });
    await waitFor('one left', 2000, async () => (await shop()).running === 1);
    await targets(2);
    await readyInstances(2);
    expect(await answers(0)).toBe(true);
    expect(await shop()).toMatchObject({ failed: 1, served: 2 });
  });
});
