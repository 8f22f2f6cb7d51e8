import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDeploymentRecords } from './readRecords.js';

const CREATED = '2026-03-01T08:00:00Z';

interface PodChange {
  name?: string;
  labels?: object;
  owner?: string;
  created?: unknown;
  ready?: unknown;
  status?: string;
  restarts?: number;
  resources?: object;
}

function pod(change: PodChange = {}): object {
  const { name = 'front-7c9-a', owner, resources = {}, restarts = 0 } = change;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      creationTimestamp: 'created' in change ? change.created : CREATED,
      labels: change.labels ?? {},
      ...(owner === undefined ? {} : { ownerReferences: [{ kind: 'ReplicaSet', name: owner }] }),
    },
    spec: { containers: [{ name: 'front', resources }] },
    status: {
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        {
          type: 'Ready',
          status: change.status ?? 'True',
          lastTransitionTime: 'ready' in change ? change.ready : '2026-03-01T08:00:09Z',
        },
      ],
      containerStatuses: [{ name: 'front', restartCount: restarts }],
    },
  };
}

function workload(kind: string, name: string, replicas: number, annotations?: object): object {
  const metadata = { name, namespace: 'shop', creationTimestamp: CREATED, annotations };
  return { apiVersion: 'apps/v1', kind, metadata, spec: { replicas }, status: { readyReplicas: replicas } };
}

function list(...items: object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1);
}

function read(text: string): unknown {
  const found = readDeploymentRecords(text, 'd');
  return found.ok ? found.value : found.problems.map(({ field, message }) => `${field} ${message}`);
}

describe('records from Kubernetes', () => {
  it('have a start for each pod that became ready, and what it asks for', () => {
    const requests = { cpu: '250m', memory: '1.5Gi' };
    const text = list(
      workload('Deployment', 'front', 5),
      workload('ReplicaSet', 'front-7c9', 3),
      pod({ owner: 'front-7c9', labels: { 'pod-template-hash': '7c9' }, resources: { requests } }),
      pod({ owner: 'front-7c9', ready: '2026-03-01T08:00:21Z', resources: { limits: { cpu: 2 } } }),
      { apiVersion: 'v1', kind: 'Event', reason: 'Scheduled' },
    );
    const at = Date.parse(CREATED);
    expect(read(text)).toEqual([
      { at, service: 'front', instances: 3, startupSeconds: 9, cpu: 0.25, memoryMiB: 1536 },
      { at, service: 'front-7c9', instances: 3, startupSeconds: 21, cpu: 2 },
    ]);
  });

  it('are named by label before the owner, and count the pods of an owner that is not in the list', () => {
    const labels = { app: 'front', 'app.kubernetes.io/name': 'shop-front', 'pod-template-hash': 'x' };
    const canonical = { ...labels, 'service.istio.io/canonical-name': 'storefront' };
    const pods = [
      pod({ labels: canonical, owner: 'front-x' }),
      pod({ labels, owner: 'front-x' }),
      pod({ labels: { 'pod-template-hash': 'x' }, owner: 'front-x', status: 'False' }),
      pod({ name: 'alone' }),
    ];
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'PodList',
      items: pods.map((one) => ({ ...one, kind: undefined })),
    });
    expect(read(text)).toMatchObject([
      { service: 'storefront', instances: 3 },
      { service: 'shop-front', instances: 3 },
      { service: 'alone', instances: 1 },
    ]);
  });

  it('leave out pods that say nothing of their start', () => {
    const saying = pod();
    const text = list(
      pod({ status: 'False' }),
      pod({ restarts: 2 }),
      pod({ ready: '2026-03-01T12:00:00Z' }),
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pending' }, status: {} },
      saying,
    );
    expect(read(text)).toHaveLength(1);
    expect(read(list(pod({ status: 'False' })))).toEqual(['(file) holds no records']);
  });

  it('have a throughput only where an annotation states it', () => {
    const stated = { 'psmg/throughput-rps': '380.5', 'psmg/p99-ms': '95' };
    expect(read(list(workload('Deployment', 'front', 4, stated), workload('Deployment', 'cart', 2)))).toEqual([
      { at: Date.parse(CREATED), service: 'front', instances: 4, throughputRps: 380.5, p99Ms: 95 },
    ]);
  });

  it('are refused with every mistake', () => {
    const text = list(
      pod({ created: 'yesterday' }),
      pod({ ready: 7 }),
      pod({ ready: '2026-03-01T07:59:59Z' }),
      pod({ resources: { requests: { cpu: 'much', memory: '12Zi' } } }),
      workload('Deployment', 'front', 4, { 'psmg/throughput-rps': 'lots', 'psmg/p99-ms': 5 }),
    );
    const found = readDeploymentRecords(text, 'pods.json');
    expect(found.ok ? [] : found.problems.map(({ field, message }) => `${field} ${message}`)).toEqual([
      'items[0].metadata.creationTimestamp "yesterday" is not a time',
      'items[1].status.conditions[1].lastTransitionTime 7 is not a time',
      'items[2].status.conditions[1].lastTransitionTime is before the pod was created',
      'items[3].spec.containers[0].resources.requests.cpu "much" is not a quantity',
      'items[3].spec.containers[0].resources.requests.memory "12Zi" is not a quantity',
      expect.stringMatching(/throughput-rps.* "lots" is not a number in quotes/),
      expect.stringMatching(/p99-ms.* 5 is not a number in quotes/),
    ]);
    const lines = text.split('\n');
    const [first] = found.ok ? [] : found.problems;
    expect(lines[(first?.line ?? 0) - 1]).toContain('yesterday');
    expect(read('---\napiVersion: v1\nkind: List\n')).toEqual(['(file) is Kubernetes YAML, which is not read']);
  });
});

describe('records from Ansible', () => {
  const time = (second: number): string => new Date(Date.parse(CREATED) + second * 1000).toISOString();
  const task = (name: string, start: number, end: number, hosts: object): object => ({
    task: { name, duration: { start: time(start), end: time(end) } },
    hosts,
  });
  const run = (...plays: object[][]): string => JSON.stringify({ plays: plays.map((tasks) => ({ tasks })), stats: {} });

  it('last from the task that starts to the end of the one that waits, play by play', () => {
    const text = run(
      [
        task('shop : Start front', 0, 1, { a: {}, b: {} }),
        task('Gather facts', 1, 2, { a: {} }),
        task('shop : Wait until front is ready', 2, 7.5, { a: {}, b: {} }),
      ],
      [
        task('RESTART the service front', 60, 61, { c: {}, d: {} }),
        task('Roll out cart', 61, 62, { c: {} }),
        task('Wait for cart to be healthy', 62, 64, { c: {} }),
        task('Wait for the front to be up', 64, 70, { c: { failed: true }, d: {} }),
      ],
      [task('Wait until front is ready', 90, 91, { a: {} })],
    );
    expect(read(text)).toEqual([
      { at: Date.parse(time(0)), service: 'front', instances: 2, startupSeconds: 7.5 },
      { at: Date.parse(time(61)), service: 'cart', instances: 1, startupSeconds: 3 },
      { at: Date.parse(time(60)), service: 'front', instances: 1, startupSeconds: 10 },
    ]);
  });

  it('are none of a start that nobody saw become ready', () => {
    const unready = { a: { failed: true }, b: { unreachable: true }, c: { skipped: true } };
    const text = run([task('Start front', 0, 1, { a: {} }), task('Wait until front is ready', 1, 2, unready)]);
    expect(read(text)).toEqual(['(file) holds no records']);
  });

  it('have the time of each host in the events of a run', () => {
    const at = 1_772_352_000_000;
    const event = (second: number, type: string, name?: string, host?: string): string =>
      JSON.stringify({ at: at + second * 1000, type, task: name, host });
    const wait = 'Wait until front is ready';
    const text = [
      event(0, 'play'),
      event(1, 'task', 'Start front'),
      event(2, 'changed', 'Start front', 'a'),
      event(3, 'task', wait),
      event(9, 'ok', wait, 'a'),
      event(12, 'ok', wait, 'b'),
      event(13, 'failed', wait, 'c'),
      event(20, 'play'),
      event(30, 'ok', wait, 'd'),
      event(31, 'stats'),
    ].join('\n');
    expect(read(text)).toEqual([
      { at: at + 1000, service: 'front', instances: 2, startupSeconds: 8 },
      { at: at + 1000, service: 'front', instances: 2, startupSeconds: 11 },
    ]);
  });

  it('are refused with every mistake', () => {
    const broken = { task: { name: 'Start front', duration: { start: 'soon' } }, hosts: {} };
    const text = run([broken, task('Start cart', 9, 9, {}), task('Wait until cart is ready', 1, 2, { a: {} })]);
    expect(read(text)).toEqual([
      'plays[0].tasks[0].task.duration.start "soon" is not a time',
      'plays[0].tasks[2].task.duration.end is before the service was started',
    ]);
    expect(read('{"at": 1, "type": "play"}\n{"at": "now", "type": 3}\n')).toEqual(['at is not an event of a run']);
  });
});

describe('a record', () => {
  it('of a start alone needs no throughput; one of neither says nothing', () => {
    expect(read('time,service,instances,startupSeconds\n2026-03-01T08:00:00Z,front,2,4.5\n')).toEqual([
      { at: Date.parse(CREATED), service: 'front', instances: 2, startupSeconds: 4.5 },
    ]);
    expect(read(`[{"time": "${CREATED}", "service": "front", "instances": 2, "cpu": 1}]`)).toEqual([
      '[0].throughputRps is missing',
    ]);
  });

  it('of any broken kind is refused or read, and never throws', () => {
    const start = { name: 'Start front', duration: { start: CREATED, end: CREATED } };
    const samples = [
      JSON.parse(list(workload('Deployment', 'f', 1, { 'psmg/throughput-rps': '1' }), pod({ owner: 'f-1' }))) as object,
      {
        plays: [{ tasks: [{ task: start, hosts: { a: {} } }] }],
        global_custom_stats: { psmg: { front: { p99Ms: 1 } } },
      },
      { at: 5, type: 'task', task: 'Start front' },
      [{ time: CREATED, service: 'front', instances: 1, startupSeconds: 2 }],
    ];
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('__proto__', -1, 1e308, [], {}, null));
    const broken = fc.tuple(fc.constantFrom(...samples), fc.nat(60), junk).map(([sample, place, value]) => {
      let seen = 0;
      // Any one value of a sound text is replaced by another.
      return JSON.stringify(sample, (_, old: unknown) => (seen++ === place ? value : old)) ?? 'null';
    });
    const cut = fc.tuple(broken, fc.nat(2000)).map(([text, end]) => text.slice(0, end));
    fc.assert(
      fc.property(fc.oneof(broken, cut, fc.string()), (text) => {
        const found = readDeploymentRecords(text, 'd');
        if (!found.ok) return found.problems.length > 0 && found.problems.every(({ message }) => message !== '');
        return found.value.every(({ at, instances, startupSeconds = 0, throughputRps = 0, cpu = 1 }) =>
          [at, instances, startupSeconds, throughputRps, cpu].every((one) => Number.isFinite(one) && one >= 0),
        );
      }),
      { numRuns: 1500, seed: 11 },
    );
  });
});
