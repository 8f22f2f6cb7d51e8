import { describe, expect, it } from '@jest/globals';

import { liveMesh } from '../../core/plan/live.js';
import { planHash } from '../../core/spec/hash.js';
import { flatten } from '../../mesh/envoy/flatten.js';
import { render } from '../../mesh/envoy/render.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { planOf } from '../../test/fixtures/planned.js';
import { forecastOf, hostSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import { validateEnvoy, validateWithEnvoy } from './validateEnvoy.js';

const envoy = locatePart('envoy');
const region = shopRegion();
const plan = planOf(region, forecastOf({ front: 400 }));
const live = liveMesh(region, plan, planHash(plan), {
  stage: { localPercent: 30, enforceLimits: true },
  adjustments: [],
  overrides: [],
});
const flattened = flatten(render(live, region, hostSpec({ name: 'edge-1' })));

describe('validateWithEnvoy', () => {
  it('finds nothing in what is rendered', async () => {
    expect(await validateWithEnvoy(envoy, flattened)).toEqual([]);
  });

  it.each([
    ['an unknown field', 'choice_count: 2', 'choice_cuont: 2', /no such field: 'choice_cuont'/],
    ['a route to nowhere', 'cluster: stock', 'cluster: nowhere', /unknown cluster 'nowhere'/],
    ['a value out of range', 'max_ejection_percent: ', 'max_ejection_percent: 1000', /MaxEjectionPercent/],
    ['a name in place of an address', 'address: 127.0.0.1', 'address: no.ip', /malformed IP address: no.ip/],
    ['no YAML', 'static_resources:', 'static_resources: [', /./],
  ])('names %s', async (_, from, to, message) => {
    const problems = await validateWithEnvoy(envoy, flattened.replaceAll(from, to));
    expect(problems).toMatchObject([{ code: 'envoy-refuses', message: expect.stringMatching(message) }]);
    expect(problems[0]?.message).not.toMatch(/psmg-validate-/);
  });

  it('rejects when it cannot be run or is called off', async () => {
    await expect(validateWithEnvoy('/no/such/envoy', flattened)).rejects.toThrow('ENOENT');
    await expect(validateWithEnvoy(envoy, flattened, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});

describe('validateEnvoy', () => {
  it('finds nothing in what is rendered', async () => {
    expect(await validateEnvoy(envoy, flattened)).toEqual([]);
  });

  it('names every problem of the fields at once, without an Envoy', async () => {
    const bad = flattened
      .replaceAll('choice_count: 2', 'choice_cuont: 2')
      .replaceAll(/max_ejection_percent: \d+/g, 'max_ejection_percent: 150');
    const codes = new Set((await validateEnvoy('/no/such/envoy', bad)).map((problem) => problem.code));
    expect(codes).toEqual(new Set(['envoy-unknown-field', 'envoy-out-of-range']));
  });

  it('asks the real Envoy what only it sees', async () => {
    expect(await validateEnvoy(envoy, flattened.replaceAll('cluster: stock', 'cluster: nowhere'))).toMatchObject([
      { code: 'envoy-refuses', message: expect.stringMatching(/unknown cluster 'nowhere'/) },
    ]);
    await expect(validateEnvoy('/no/such/envoy', flattened)).rejects.toThrow('ENOENT');
  });
});
