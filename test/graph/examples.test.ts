import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

import { generateGraph } from '../../bench/graph/generateGraph.js';
import { graphOfFiles } from '../../cli/graph.js';
import { graphOfRegion } from '../../core/graph/build.js';
import { callsByEntry, propagateDemand, reachable } from '../../core/graph/propagate.js';
import { detectGraphSource } from '../../core/graph/sources/detectGraphSource.js';
import type { ServiceGraph } from '../../core/spec/graph.js';
import type { RegionSpec } from '../../core/spec/region.js';

const FOLDER = 'examples/graphs';
const SHOP = readdirSync(FOLDER)
  .filter((name) => name.startsWith('shop.'))
  .map((name) => `${FOLDER}/${name}`);

async function graphOf(...files: string[]): Promise<ServiceGraph> {
  const graph = await graphOfFiles(files);
  if (!graph.ok) throw new Error(JSON.stringify(graph.problems));
  return graph.value;
}

describe('example graphs', () => {
  it.each([
    ['online-boutique', 11, 'loadgenerator'],
    ['hotel-reservation', 10, 'frontend'],
    ['train-ticket', 42, 'ts-ui-dashboard'],
  ])('%s has %d services, all reached from %s', async (name, services, entry) => {
    const graph = await graphOf(`${FOLDER}/${name}.yaml`);
    expect([graph.services.length, graph.warnings]).toEqual([services, []]);
    expect([...reachable(graph, entry)].sort()).toEqual(graph.services);
    expect(propagateDemand(graph, { [entry]: 100 }).ok).toBe(true);
  });

  it('has the circles of Train Ticket, whose calls die out', async () => {
    const { cycles } = await graphOf(`${FOLDER}/train-ticket.yaml`);
    expect(cycles).toEqual([['ts-seat-service', 'ts-travel-service', 'ts-travel2-service']]);
  });

  it('tells of one shop in every form, without a contradiction', async () => {
    const graph = await graphOf(...SHOP);
    const rates = graph.edges.map((edge) => [edge.caller, edge.callee, Number(edge.callsPerRequest.toFixed(2))]);
    expect(rates).toEqual([
      ['checkout', 'cart', 2],
      ['checkout', 'payment', 1],
      ['payment', 'checkout', 0.2],
      ['web', 'cart', 0.5],
      ['web', 'catalog', 2],
      ['web', 'checkout', 0.25],
    ]);
    expect(graph.contradictions).toBeUndefined();
    expect(new Set(graph.edges.flatMap((edge) => edge.sources)).size).toBe(SHOP.length);
    expect(graph.edges.every(({ latency, bytesPerCall }) => latency !== undefined && bytesPerCall === 2000)).toBe(true);
  });

  it('reads the same through a region file that names the kinds', async () => {
    const texts = Object.fromEntries(SHOP.map((file) => [file, readFileSync(file, 'utf8')]));
    const sources = SHOP.map((file) => ({ file, kind: detectGraphSource(texts[file] ?? '', file) ?? 'yaml' }));
    const all = await graphOf(...SHOP);
    const services = all.services.map((name) => ({ name }));
    const region = { services, graph: { sources } } as unknown as RegionSpec;
    const built = graphOfRegion(region, texts);
    expect(built.ok && built.value.edges).toEqual(all.edges);
    expect(graphOfRegion(region, {})).toMatchObject({
      ok: false,
      problems: sources.map(() => ({ code: 'graph-source' })),
    });
  });
});

describe('generateGraph', () => {
  it('is the same for a seed, and every service is reached at any size', () => {
    for (const services of [1, 2, 3, 10, 57, 400]) {
      const one = generateGraph({ services, seed: services });
      expect(generateGraph({ services, seed: services })).toEqual(one);
      expect(one.services).toHaveLength(services);
      expect([...callsByEntry(one.graph, one.entries).keys()].sort()).toEqual([...one.services].sort());
    }
  });

  it('has a fan-out with a heavy tail, shared services and circles whose calls end', () => {
    const { graph, edges, entries } = generateGraph({ services: 1000, seed: 3 });
    const count = (key: 'caller' | 'callee') => {
      const counts = new Map<string, number>();
      for (const edge of edges) counts.set(edge[key], (counts.get(edge[key]) ?? 0) + 1);
      return Math.max(...counts.values());
    };
    expect(edges.length / 1000).toBeGreaterThan(2);
    expect(edges.length / 1000).toBeLessThan(6);
    expect([count('caller') > 20, count('callee') > 60, graph.cycles.length > 0]).toEqual([true, true, true]);
    expect(propagateDemand(graph, Object.fromEntries(entries.map((name) => [name, 1]))).ok).toBe(true);
  });
});
