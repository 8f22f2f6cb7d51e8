import type { Chance } from './fuzzChance.js';
import { spoiled } from './fuzzText.js';

const NUMBERS = [
  '0',
  '-1',
  '1e308',
  '1e-308',
  '.nan',
  '.inf',
  '0x10',
  '1_000',
  "'3'",
  'null',
  '~',
  '[]',
  '{}',
  '9'.repeat(40),
] as const;
const WORDS = [
  '',
  'ghost',
  'front',
  'north',
  '__proto__',
  'constructor',
  'é',
  '🙂',
  "'a: b'",
  '*x',
  '&x y',
  '!!js/function',
  '|',
  '2026-01-01',
] as const;

/** A small region file, field by field: what stands in a place may be odd, left out, said twice or in the wrong place. */
export function regionText(chance: Chance): string {
  const odd = chance.is(0.5) ? 0 : chance.of([0.02, 0.1, 0.3]);
  const number = (usual: number): string => (chance.is(odd) ? chance.of(NUMBERS) : String(usual));
  const word = (usual: string): string => (chance.is(odd) ? chance.of(WORDS) : usual);
  const maybe = (text: string): string => (chance.is(0.5) ? text : '');
  const names = ['front', 'cart', 'stock', 'mail'].slice(0, 1 + chance.whole(4));
  const services = names.map((name, i) => service(name, i, number, word, maybe));
  const edges = names.flatMap((caller, i) =>
    chance.some(names.slice(chance.is(0.05) ? 0 : i + 1), 0.6).map((callee) => {
      const calls = number(1 + chance.whole(3));
      return `    - { caller: ${word(caller)}, callee: ${word(callee)}, callsPerRequest: ${calls} }`;
    }),
  );
  const lines = [
    `apiVersion: ${word('psmg/v1')}`,
    `name: ${word('north')}`,
    `locality: { region: ${word('north')}, zone: ${word('north-a')} }`,
    maybe(`autonomy: ${word('act')}`),
    'delivery:',
    '  hosts:',
    `    - { name: edge-1, zone: north-a, connection: ${word('local')}, directory: /srv/edge-1, proxy: { binary: /usr/bin/envoy, ingress: '127.0.0.1:${number(8080)}', mesh: '127.0.0.1:8081', admin: '127.0.0.1:8082' } }`,
    'services:',
    ...services,
    'graph:',
    '  edges:',
    ...(edges.length > 0 ? edges : ['    []']),
    `history: { kind: csv, file: history.csv, stepSeconds: ${number(3600)} }`,
    `forecast: { horizonSteps: ${number(24)}, seasons: [${number(24)}, ${number(168)}], demandQuantile: ${word('p95')} }`,
    maybe(
      `planning: { windowSeconds: ${number(7200)}, leadSeconds: ${number(600)}, survive: ${word('none')}, maxUtilisation: ${chance.is(odd) ? chance.of(NUMBERS) : '0.7'} }`,
    ),
    maybe(`costs: { shortagePerRequest: ${number(1)}, idlePerInstanceHour: ${number(2)} }`),
    maybe(`tls: { mesh: { certificateFile: ${word('/etc/c.pem')}, privateKeyFile: /etc/k.pem, caFile: /etc/ca.pem } }`),
    'neighbours:',
    `  - { name: ${word('south')}, locality: { region: south, zone: south-a }, gateway: '10.0.0.9:8081', networkLatencyMs: ${number(10)}, spareRps: { ${word('front')}: ${number(500)} } }`,
  ].filter((line) => line !== '' && !chance.is(odd / 10));
  return spoiled(chance, `${lines.join('\n')}\n`);
}

function service(
  name: string,
  index: number,
  number: (usual: number) => string,
  word: (usual: string) => string,
  maybe: (text: string) => string,
): string {
  return [
    `  - name: ${word(name)}`,
    index === 0 ? `    entry: { pathPrefix: ${word('/')} }` : '',
    `    endpoints: ['127.0.0.1:${9000 + 100 * index}-${9005 + 100 * index}']`,
    `    capacity: { concurrency: ${number(4)}, serviceTimeMs: ${number(20)}, startupSeconds: ${number(2)} }`,
    `    slo: { p99Ms: ${number(250)} }`,
    maybe(`    minInstances: ${number(1)}`),
    maybe(`    criticality: ${word('normal')}`),
    maybe(`    protocol: ${word('http')}`),
    maybe(`    affinity: { header: ${word('x-user')} }`),
    maybe(`    idempotent: ${word('true')}`),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** A forecast as `--demand` takes it; values may be anything that JSON can say. */
export function demandJsonText(chance: Chance): string {
  const odd = chance.is(0.6) ? 0 : 0.01;
  const steps = chance.of([0, 1, 2, 24, 24]);
  const timestamps = Array.from({ length: steps }, (_, i) =>
    chance.is(odd / 4)
      ? chance.of(['now', '', '2026-02-30T00:00:00Z'])
      : new Date(Date.UTC(2026, 0, 1, i)).toISOString(),
  );
  const base = timestamps.map(() => 50 + 300 * chance.share());
  const values = (factor: number): unknown[] =>
    base.map((value) => (chance.is(odd) ? chance.of<unknown>([null, -1, 1e308, '3', NaN, {}]) : factor * value));
  const quantiles = { p50: values(0.6), p80: values(0.8), p90: values(0.9), p95: values(1), p99: values(1.2) };
  const series = ['front', ...chance.some(['cart', 'ghost', 'front'], 0.2)].map((service) => ({
    service: chance.is(odd) ? chance.of<unknown>([1, null, '']) : service,
    step: '1h',
    models: [],
    trust: chance.is(odd) ? 'certain' : chance.of(['high', 'fair', 'low', 'none', 'high', 'high']),
    timestamps,
    quantiles,
  }));
  return spoiled(chance, JSON.stringify(chance.is(odd) ? { series: null } : { series }));
}
