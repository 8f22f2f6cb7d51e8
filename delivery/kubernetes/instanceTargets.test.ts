import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { forecastOf, shopRegion } from '../../test/fixtures/regionSpec.js';
import { planOf } from '../../test/fixtures/planned.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import { renderInstanceTargets } from './instanceTargets.js';

interface Target {
  kind: string;
  metadata: { name: string };
  spec: Record<string, number>;
}

const read = (text: string): Target[] =>
  parseAllDocuments(text, { version: '1.1' }).flatMap((one) => (one.contents === null ? [] : [one.toJS() as Target]));

describe('renderInstanceTargets', () => {
  const plan = planOf(shopRegion(), forecastOf({ front: 400 }));

  it('names the planned instances of each service, and of an autoscaler nothing else', () => {
    const targets = read(renderInstanceTargets(plan));
    const planned = plan.windows[0]?.services.map((one) => [one.service, { minReplicas: one.instances.value }]);
    expect(targets.map((one) => [one.metadata.name, one.spec])).toEqual(planned);
    expect(renderInstanceTargets(plan)).toContain(plan.windows[0]?.services[0]?.instances.reason);
  });

  it('tells later windows, and gives theirs when they are asked for', () => {
    const [first] = plan.windows;
    const [front] = first?.services ?? [];
    if (first === undefined || front === undefined) throw new Error('no window');
    const grown = { ...front, instances: { ...front.instances, value: 9 } };
    const from = new Date(Date.parse(first.from) + 3_600_000).toISOString();
    const two: MeshPlan = {
      ...plan,
      windows: [
        { ...first, to: from },
        { from, to: first.to, services: [grown] },
      ],
    };
    expect(renderInstanceTargets(two)).toContain(`# later: 9 from ${from}`);
    expect(read(renderInstanceTargets(two, from))[0]?.spec).toEqual({ minReplicas: 9 });
    expect(read(renderInstanceTargets(two, from))[1]?.spec).toEqual(read(renderInstanceTargets(two))[1]?.spec);
  });

  it('leaves out who wants no instance here, and survives names and words that YAML takes for something else', () => {
    const [first] = plan.windows;
    const [front, cart, ...others] = first?.services ?? [];
    if (first === undefined || front === undefined || cart === undefined) throw new Error('no services');
    const odd: MeshPlan = {
      ...plan,
      windows: [
        {
          ...first,
          services: [
            { ...front, service: 'on', instances: { value: 2, reason: 'two\nspec: {minReplicas: 99}' } },
            { ...cart, instances: { value: 0, reason: 'none' } },
            ...others,
          ],
        },
      ],
    };
    const targets = read(renderInstanceTargets(odd));
    expect(targets.map((one) => one.metadata.name)).toEqual(['on', ...others.map((one) => one.service)]);
    expect(targets[0]?.spec).toEqual({ minReplicas: 2 });
  });
});
