import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planOf } from '../../test/fixtures/planned.js';
import { startKubernetes } from '../../testbed/kubernetes.js';
import type { RunningKubernetes } from '../../testbed/kubernetes.js';
import { FIELD_MANAGER, renderInstanceTargets } from './instanceTargets.js';

const THEIRS = (name: string): string => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: ${name}}
spec:
  maxReplicas: 40
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ${name}}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
`;

interface Autoscaler {
  spec: { minReplicas: number; maxReplicas: number; metrics: unknown[] };
}

describe('instance targets at a real API server', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'psmg-targets-'));
  const plan = planOf(shopRegion(), forecastOf({ front: 400 }));
  const names = plan.windows[0]?.services.map((one) => one.service) ?? [];
  let cluster: RunningKubernetes;

  const file = (name: string, text: string): string => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const apply = (name: string, text: string): ReturnType<RunningKubernetes['tryKubectl']> =>
    cluster.tryKubectl('apply', '--server-side', `--field-manager=${FIELD_MANAGER}`, '-f', file(name, text));
  const autoscaler = async (name: string): Promise<Autoscaler> =>
    JSON.parse(await cluster.kubectl('get', 'hpa', name, '-o', 'json')) as Autoscaler;

  beforeAll(async () => {
    cluster = await startKubernetes({ dir: path.join(dir, 'cluster') });
  }, 120_000);

  afterAll(async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('are refused where there is no autoscaler, and make none', async () => {
    const outcome = await apply('targets.yaml', renderInstanceTargets(plan));
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain('maxReplicas');
    expect(JSON.parse(await cluster.kubectl('get', 'hpa', '-o', 'json'))).toMatchObject({ items: [] });
  }, 60_000);

  it('change the minimum and nothing else, and are refused where somebody else set it', async () => {
    const theirs = file('theirs.yaml', names.map(THEIRS).join('---\n'));
    // The minimum of one that the server fills in is nobody's then.
    await cluster.kubectl('apply', '--server-side', '--field-manager=the-team', '-f', theirs);
    expect(await apply('targets.yaml', renderInstanceTargets(plan))).toMatchObject({ code: 0 });
    for (const { service, instances } of plan.windows[0]?.services ?? []) {
      const { spec } = await autoscaler(service);
      expect(spec).toMatchObject({ minReplicas: instances.value, maxReplicas: 40 });
      expect(spec.metrics).toHaveLength(1);
    }
    const [first = ''] = names;
    await cluster.kubectl(
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=a-person',
      '-f',
      file('person.yaml', THEIRS(first).replace('maxReplicas: 40', 'maxReplicas: 40\n  minReplicas: 30')),
    );
    const refused = await apply('targets.yaml', renderInstanceTargets(plan));
    expect(refused.stderr).toContain('conflict with "a-person"');
    expect((await autoscaler(first)).spec.minReplicas).toBe(30);
  }, 60_000);
});
