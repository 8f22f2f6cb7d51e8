import { mkdtemp, readFile, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { validateEnvoy } from '../../adapters/mesh/validateEnvoy.js';
import { validatePlanPath } from '../../cli/validatePlan.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import { GRAPH_SOURCE_KINDS } from '../../core/spec/region.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { forecastOf } from '../fixtures/regionSpec.js';
import { psmg } from './psmg.js';

jest.setTimeout(120_000);

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

/** Every file below a folder with its bytes. */
async function filesBelow(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(paths.sort().map(async (file) => [file, await readFile(file, 'utf8')])));
}

const plan = (...more: string[]) => psmg('plan', REGION, '--out', out, '--demand', demand, ...more);

const validate = (target: string) =>
  validatePlanPath(target, { validateEnvoy: (text) => validateEnvoy(locatePart('envoy'), text) });

describe('psmg plan', () => {
  it('writes plan.json and every rendered form, which then hold by schema, lint and the real proxy', async () => {
    const { code, stdout } = await plan();
    expect([code, stdout]).toEqual([0, expect.stringMatching(/storefront +p95 120\.0/)]);
    const written = ['ansible', 'envoy', 'istio', 'kubernetes', 'plan.json', 'region.yaml'];
    expect((await readdir(out)).filter((name) => !name.startsWith('.')).sort()).toEqual(written);
    expect(await readFile(path.join(out, 'istio/destination-rules.yaml'), 'utf8')).toContain('kind: DestinationRule');
    expect(await readFile(path.join(out, 'ansible/inventory.yml'), 'utf8')).toContain('edge-1');
    for (const target of [out, path.join(out, 'plan.json'), path.join(out, 'envoy/edge-1')]) {
      expect([target, await validate(target)]).toEqual([target, []]);
    }
  });

  it('writes the same bytes again, over its own folder', async () => {
    await plan();
    const first = await filesBelow(out);
    expect((await plan()).code).toBe(0);
    expect(await filesBelow(out)).toEqual(first);
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

  it('explains every setting: what it is, why, and from which numbers', async () => {
    const { stdout } = await plan('--explain');
    const lines = stdout.split('\n');
    const read = JSON.parse(await readFile(path.join(out, 'plan.json'), 'utf8')) as MeshPlan;
    const services = read.windows[0]?.services ?? [];
    expect(services.map(({ service }) => service).sort()).toEqual(['catalog', 'checkout', 'payments', 'storefront']);
    for (const { service, settings, instances, weights } of services) {
      expect(Object.keys(settings).sort()).toEqual(Object.keys(SETTING_FIELDS).sort());
      const ofRegions = Object.entries(weights).map(([name, weight]) => [`weight.${name}`, weight] as const);
      for (const [field, { value, reason, inputs = {} }] of [
        ['instances', instances] as const,
        ...ofRegions,
        ...Object.entries(settings),
      ]) {
        const told = lines.findIndex((line) => line.startsWith(`  ${service}.${field} = ${value}`));
        expect([service, field, lines[told]]).toEqual([service, field, expect.stringContaining(`: ${reason}`)]);
        for (const [name, number] of Object.entries(inputs)) expect(lines[told + 1]).toContain(`${name} ${number}`);
      }
    }
  });

  it('prints one service alone, and the whole as JSON', async () => {
    const { stdout } = await plan('--explain', '--service', 'catalog');
    expect(stdout).toContain('catalog.breaker.maxRequests = ');
    expect(stdout).toContain("Little's law needs");
    expect(stdout).not.toContain('storefront.');
    const json = JSON.parse((await plan('--format', 'json')).stdout) as { planHash: string; files: string[] };
    expect(json.planHash).toMatch(/^[0-9a-f]{64}$/);
    expect(json.files).toEqual(expect.arrayContaining(['envoy/edge-1/dyn/cds.yaml', 'istio/virtual-services.yaml']));
  });

  it('says in words what differs from an earlier plan, and that nothing does', async () => {
    await plan();
    const before = path.join(folder, 'before.json');
    await writeFile(before, await readFile(path.join(out, 'plan.json'), 'utf8'));
    const same = await plan('--against', before);
    expect([same.code, same.stdout]).toEqual([
      0,
      expect.stringMatching(/^nothing changes\nplan [0-9a-f]{64} written to /),
    ]);
    await writeFile(demand, JSON.stringify(forecastOf({ storefront: 180, checkout: 30 })));
    const { stdout } = await plan('--against', before);
    const counts = async (file: string) => {
      const { windows } = JSON.parse(await readFile(file, 'utf8')) as MeshPlan;
      return windows[0]?.services.find(({ service }) => service === 'storefront')?.instances.value ?? 0;
    };
    const [was, is] = [await counts(before), await counts(path.join(out, 'plan.json'))];
    expect(stdout).toContain(`storefront: ${is - was} more instances, ${was} → ${is} (+`);
    expect(stdout).toContain('storefront: expected demand raised from 120 rps to 180 rps (+50 %)');
    expect(stdout).toMatch(/storefront: rate limit of each proxy raised from \d+ rps to \d+ rps/);
    expect(stdout).not.toContain('nothing changes');
    await writeFile(before, '{"version": 1}');
    const files = await filesBelow(out);
    expect(await plan('--against', before)).toMatchObject({ code: 2, stderr: expect.stringContaining(before) });
    expect(await filesBelow(out)).toEqual(files);
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

  it('refuses malformed demand whole: no folder is written, and one that is there stays as it was', async () => {
    const [good] = forecastOf({ storefront: 120 }).series;
    if (good === undefined) throw new Error('no series');
    const { quantiles } = good;
    const [wrong, uneven] = [
      { trust: 'some', timestamps: ['soon'], quantiles: { ...quantiles, p50: [-1], p99: ['many'] } },
      { quantiles: { ...quantiles, p80: [0, 0, 0], p95: [1] } },
    ];
    const both = (change: object): string => JSON.stringify({ series: [good, { ...good, ...change }] });
    const refuses = async (text: string, ...told: string[]): Promise<void> => {
      await writeFile(demand, text);
      const { code, stdout, stderr } = await plan();
      expect([code, stdout]).toEqual([2, '']);
      for (const part of [demand, ...told]) expect(stderr).toContain(part);
    };
    await refuses('{"series": [', 'is no JSON');
    await refuses(both(uneven), 'series[1].service', 'series[1].quantiles.p80', 'series[1].quantiles.p95');
    expect(await readdir(folder)).toEqual(['demand.json']);
    await writeFile(demand, JSON.stringify(forecastOf({ storefront: 120, checkout: 30 })));
    await plan();
    const before = await filesBelow(out);
    await refuses(both(wrong), 'series[1].trust', 'series[1].timestamps[0]', 'quantiles.p50[0]', 'quantiles.p99[0]');
    expect(await filesBelow(out)).toEqual(before);
    expect((await readdir(folder)).sort()).toEqual(['demand.json', 'out']);
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

  it('names a broken Istio file with its line', async () => {
    await plan();
    const file = path.join(out, 'istio/destination-rules.yaml');
    const text = await readFile(file, 'utf8');
    const broken = async (part: string, by: string): Promise<number> => {
      const changed = text.replace(part, by);
      await writeFile(file, changed);
      return changed.split('\n').findIndex((line) => line.includes(by)) + 1;
    };
    const line = await broken('connectTimeout: ', 'conectTimeout: ');
    const { code, stderr } = await psmg('validate', out);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${file}:${line} DestinationRule catalog: `)]);
    expect(stderr).toContain('conectTimeout: is no field that Istio knows');
    // What no schema can see.
    const nowhere = await broken('host: catalog.', 'host: katalog.');
    expect(await validate(out)).toMatchObject([{ code: expect.stringMatching(/^ISTIO/), file, line: nowhere }]);
    await broken('kind: DestinationRule', 'kind: [');
    expect(await validate(out)).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'ISTIO001', file, line: expect.any(Number) })]),
    );
    await writeFile(file, text);
    expect(await validate(out)).toEqual([]);
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

  it('merges every form of one shop without contradiction, and tells who contradicts it', async () => {
    const samples = (await readdir('examples/graphs')).filter((name) => name.startsWith('shop.'));
    const files = samples.map((name) => `examples/graphs/${name}`);
    const merge = async (...sources: string[]): Promise<ServiceGraph> =>
      JSON.parse((await psmg('graph', ...sources)).stdout) as ServiceGraph;
    const graph = await merge(...files);
    expect(files.length).toBe(GRAPH_SOURCE_KINDS.length);
    expect([...new Set(graph.edges.flatMap((edge) => edge.sources))].sort()).toEqual([...files].sort());
    expect(graph.contradictions ?? []).toEqual([]);
    expect(await merge(...[...files].reverse())).toEqual(graph);
    const [edge] = graph.edges;
    if (edge === undefined) throw new Error('no edge');
    const { caller, callee, callsPerRequest } = edge;
    const liar = path.join(folder, 'liar.yaml');
    await writeFile(liar, `- {caller: ${caller}, callee: ${callee}, callsPerRequest: ${10 * callsPerRequest}}\n`);
    const { contradictions } = await merge(...files, liar);
    expect(contradictions).toMatchObject([{ caller, callee }]);
    expect(contradictions?.[0]?.said.map(({ source }) => source)).toContain(liar);
    expect(contradictions?.[0]?.holds).not.toBe(liar);
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
