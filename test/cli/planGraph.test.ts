import { mkdtemp, readFile, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { validateEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import { validatePlanPath } from '../../cli/validatePlan.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { forecastOf } from '../fixtures/regionSpec.js';
import { psmg } from './psmg.js';

jest.setTimeout(60_000);

const REGION = 'examples/eu-west/region.yaml';

let folder: string;
let out: string;
let demand: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'psmg-cli-'));
  out = path.join(folder, 'out');
  demand = path.join(folder, 'demand.json');
  await writeFile(demand, JSON.stringify(forecastOf({ storefront: 120, checkout: 30 })));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const plan = (...more: string[]) => psmg('plan', REGION, '--out', out, '--demand', demand, ...more);

const validate = (target: string) =>
  validatePlanPath(target, { validateEnvoy: (text) => validateEnvoy(locatePart('envoy'), text) });

describe('psmg plan', () => {
  it('writes plan.json and every rendered form, which then hold by schema, lint and the real proxy', async () => {
    const { code, stdout } = await plan();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/storefront +p95 120\.0/)]);
    expect(await readdir(out)).toEqual(expect.arrayContaining(['ansible', 'envoy', 'plan.json', 'region.yaml']));
    expect(await readFile(path.join(out, 'ansible/inventory.yml'), 'utf8')).toContain('edge-1');
    for (const target of [out, path.join(out, 'plan.json'), path.join(out, 'envoy/edge-1')]) {
      expect([target, await validate(target)]).toEqual([target, []]);
    }
  });

  it('writes the same bytes again, over its own folder', async () => {
    await plan();
    const files = async () => {
      const entries = await readdir(out, { recursive: true, withFileTypes: true });
      const paths = entries.filter((e) => e.isFile()).map((e) => path.join(e.parentPath, e.name));
      return Object.fromEntries(await Promise.all(paths.sort().map(async (p) => [p, await readFile(p, 'utf8')])));
    };
    const first = await files();
    expect((await plan()).code).toBe(0);
    expect(await files()).toEqual(first);
    expect((await readdir(folder)).sort()).toEqual(['demand.json', 'out']);
  });

  it('leaves alone a folder that holds what no plan wrote', async () => {
    await mkdir(out);
    await writeFile(path.join(out, 'mine.txt'), 'mine');
    expect(await plan()).toMatchObject({ code: 2, stderr: expect.stringContaining('mine.txt') });
    await rm(out, { recursive: true });
    await plan();
    await writeFile(path.join(out, 'envoy/edge-1/mine.txt'), 'mine');
    expect((await plan()).code).toBe(2);
    expect(await readFile(path.join(out, 'envoy/edge-1/mine.txt'), 'utf8')).toBe('mine');
  });

  it('explains every value, and prints one service alone', async () => {
    const { stdout } = await plan('--explain', '--service', 'catalog');
    expect(stdout).toContain('breaker.maxRequests = ');
    expect(stdout).toContain("Little's law needs");
    expect(stdout).not.toContain('storefront:');
    const json = JSON.parse((await plan('--format', 'json')).stdout) as { planHash: string; files: string[] };
    expect(json.planHash).toMatch(/^[0-9a-f]{64}$/);
    expect(json.files).toContain('envoy/edge-1/dyn/cds.yaml');
  });

  it('refuses bad input with every problem, and writes nothing', async () => {
    const bad = path.join(folder, 'bad.json');
    await writeFile(bad, '{"series": [{"service": "storefront"}]}');
    const result = await psmg('plan', REGION, '--out', out, '--demand', bad);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('series[0]') });
    const options = await plan('--at', 'yesterday', '--service', 'nobody', '--format', 'xml');
    for (const option of ['--at', '--service', '--format']) expect(options.stderr).toContain(option);
    expect(await psmg('plan', '/no/such.yaml', '--out', out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ENOENT'),
    });
    await writeFile(demand, JSON.stringify(forecastOf({ storefront: 120, checkout: 30 }, 'none')));
    expect((await plan()).stderr.match(/is not to be trusted/g)).toHaveLength(2);
    expect(await psmg('plan', REGION, '--out', out, '--at', '2020-01-01T00:00:00Z')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('history.storefront'),
    });
    expect(await readdir(folder)).not.toContain('out');
  });
});

describe('validatePlanPath', () => {
  it('names a plan that was changed by hand, and rendered files that the proxy refuses', async () => {
    await plan();
    const file = path.join(out, 'plan.json');
    const text = await readFile(file, 'utf8');
    const read = JSON.parse(text) as { windows: { services: { settings: Record<string, { value: number }> }[] }[] };
    const limit = read.windows[0]?.services[0]?.settings['rateLimit.rps'];
    if (limit === undefined) throw new Error('no limit');
    limit.value = 1;
    await writeFile(file, JSON.stringify(read));
    expect(await validate(file)).toMatchObject([{ code: 'MESH003', file, field: 'storefront.rateLimit.rps' }]);
    await writeFile(file, text.replace('"version": 1', '"version": 2'));
    const clusters = path.join(out, 'envoy/edge-1/dyn/cds.yaml');
    await writeFile(
      clusters,
      (await readFile(clusters, 'utf8')).replace('lb_policy: LEAST_REQUEST', 'lb_policy: LUCK'),
    );
    expect(await validate(out)).toMatchObject([
      { code: 'plan-shape', file, field: 'version' },
      {
        code: 'envoy-wrong-type',
        file: path.dirname(path.dirname(clusters)),
        message: expect.stringContaining('LUCK'),
      },
    ]);
    await rm(path.join(out, 'envoy/edge-1/dyn/cds.yaml'));
    await rm(file);
    expect(await validate(out)).toMatchObject([{ code: 'rendered', message: 'dyn/cds.yaml is missing' }]);
  });

  it('says when there is nothing to check', async () => {
    expect(await validate(folder)).toMatchObject([{ code: 'no-plan' }]);
  });
});

describe('psmg graph', () => {
  it('merges sources into the documented shape', async () => {
    const edges = path.join(folder, 'edges.yaml');
    await writeFile(edges, '- {caller: storefront, callee: search, callsPerRequest: 0.5}\n');
    const { code, stdout } = await psmg('graph', 'examples/eu-west/servicegraph.prom', edges);
    expect(code).toBe(0);
    const graph = JSON.parse(stdout) as { services: string[]; edges: object[] };
    expect(Object.keys(graph)).toEqual(['services', 'edges', 'cycles', 'warnings']);
    expect(graph.services).toEqual(expect.arrayContaining(['search', 'payments']));
    expect(graph.edges).toContainEqual({
      caller: 'storefront',
      callee: 'search',
      callsPerRequest: 0.5,
      sources: [edges],
      confidence: expect.closeTo(0.8),
    });
    expect((await psmg('graph', edges, '--format', 'mermaid')).stdout).toMatch(/^flowchart LR/);
    expect((await psmg('graph', edges, '--format', 'dot')).stdout).toMatch(/^digraph/);
  });

  it('refuses with the file and line of every problem', async () => {
    const edges = path.join(folder, 'edges.yaml');
    await writeFile(edges, '- {caller: a}\n');
    const { code, stderr } = await psmg('graph', edges, '/no/such.prom', '--format', 'dot');
    expect(code).toBe(2);
    expect(stderr).toContain(`${edges}:1:3 edges[0].callee`);
    expect(stderr).toContain('/no/such.prom');
  });
});
