import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { RegionVersions } from './migrate.js';
import { parseRegion } from './parseRegion.js';
import { ok } from './problem.js';
import type { Problem } from './problem.js';
import type { RegionSpec } from './region.js';

const MINIMAL = readFileSync('test/fixtures/regions/minimal.yaml', 'utf8');
const EXAMPLE = readFileSync('examples/eu-west/region.yaml', 'utf8');

function problemsOf(text: string): readonly Problem[] {
  const result = parseRegion(text, 'region.yaml');
  return result.ok ? [] : result.problems;
}

function regionOf(text: string): RegionSpec {
  const result = parseRegion(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.value;
}

/** `code line:column field` of each problem. */
function brief(problems: readonly Problem[]): string[] {
  return problems.map((p) => `${p.code} ${p.line}:${p.column} ${p.field}`);
}

/** `code field @ the text that the problem points at`. */
function pointed(text: string): string[] {
  const lines = text.split('\n');
  return problemsOf(text).map((p) => {
    const rest = (lines[(p.line ?? 0) - 1] ?? '').slice((p.column ?? 0) - 1);
    return `${p.code} ${p.field} @ ${/^[^\s,}\]]*/.exec(rest)?.[0]}`;
  });
}

function edited(from: string, to: string, text: string = MINIMAL): string {
  if (!text.includes(from)) throw new Error(`the fixture has no "${from}"`);
  return text.replace(from, to);
}

/** The fixture with proxies in front of instances. */
function inbound(...lines: readonly string[]): string {
  const list = lines.map((line) => `          - ${line}\n`).join('');
  return edited('port: 18082 }\n', `port: 18082 }\n        inbound:\n${list}`);
}

describe('a sound region file', () => {
  it('takes the documented defaults for what it leaves out', () => {
    const region = regionOf(MINIMAL);
    expect(region).toMatchObject({
      autonomy: 'observe',
      mesh: { kind: 'envoy' },
      delivery: { tool: 'ansible', hostWaitSeconds: 300 },
      history: { kind: 'csv' },
      forecast: { demandQuantile: 'p95' },
      events: [],
      neighbours: [],
      hooks: {},
      stack: { timeoutSeconds: 600, minReadyFraction: 1 },
      activation: {
        steps: [10, 25, 50, 100],
        judgeSeconds: 10,
        minRequests: 50,
        maxErrorRate: 0.01,
        maxInconclusive: 3,
      },
      operate: { tickSeconds: 10, maxStepFraction: 0.1, maxInconclusiveTicks: 3, minRequestsPerTick: 20 },
    });
    expect(region.services[0]).toMatchObject({ healthPath: '/healthz', minInstances: 1, slo: { maxErrorRate: 0.01 } });
    expect(region.delivery.hosts[0]).toMatchObject({ python: '/usr/bin/python3', proxy: { manager: 'process' } });
    expect('demandClock' in region).toBe(false);
  });

  it('expands endpoint ranges in the order written', () => {
    const address = '127.0.0.1';
    expect(regionOf(MINIMAL).services[0]?.endpoints).toEqual([
      { address, port: 21000 },
      { address, port: 21001 },
      { address, port: 21009 },
    ]);
  });

  it('takes event sources, a time zone and regressors, each with its defaults', () => {
    const sources = `eventSources:
  - { kind: ical, name: marketing, url: 'https://example.com/c.ics' }
  - { kind: csv, file: a.csv }
  - { kind: json, url: 'http://example.com/', list: /data, fields: { start: /from, end: /to }, eventKind: campaign }
  - { kind: holidays, country: DE, state: BY }
  - { kind: news, file: news.json, threshold: 3, services: [catalog] }
  - { kind: calendar, url: 'https://example.com/events', tokenVariable: CALENDAR_TOKEN }
`;
    const zoned = edited('forecast: {', 'forecast: { timeZone: Europe/Berlin,');
    const region = regionOf(zoned.replace('stepSeconds:', 'regressors: { file: weather.csv }, stepSeconds:') + sources);
    expect(region.forecast.timeZone).toBe('Europe/Berlin');
    expect(region.history.regressors).toEqual({ file: 'weather.csv' });
    expect(region.eventSources).toEqual([
      { kind: 'ical', name: 'marketing', url: 'https://example.com/c.ics' },
      { kind: 'csv', file: 'a.csv' },
      {
        kind: 'json',
        url: 'http://example.com/',
        list: '/data',
        fields: { start: '/from', end: '/to' },
        eventKind: 'campaign',
      },
      { kind: 'holidays', country: 'DE', state: 'BY', types: ['public'], eventKind: 'holiday' },
      { kind: 'news', file: 'news.json', threshold: 3, services: ['catalog'], eventKind: 'news' },
      { kind: 'calendar', url: 'https://example.com/events', tokenVariable: 'CALENDAR_TOKEN' },
    ]);
    expect(regionOf(MINIMAL)).not.toHaveProperty('eventSources');
  });

  it('takes services of every trait behind proxies of their own', () => {
    const text = inbound(
      '{ service: storefront, socket: 127.0.0.1:21000, app: 127.0.0.1:31000 }',
      '{ service: storefront, socket: 127.0.0.1:21001, app: 127.0.0.1:31001 }',
      '{ service: storefront, socket: 127.0.0.1:21009, app: 127.0.0.1:31009 }',
      '{ service: catalog, socket: 127.0.0.1:21040, app: 127.0.0.1:31040 }',
    ).replace("    endpoints: ['127.0.0.1:21040']", "    protocol: tcp\n    endpoints: ['127.0.0.1:21040']");
    const region = regionOf(`${text}tls: { ingress: { certificateFile: /a.pem, privateKeyFile: /a.key } }\n`);
    expect(region.services[1]?.protocol).toBe('tcp');
    expect(region.delivery.hosts[0]?.proxy.inbound?.[0]).toEqual({
      service: 'storefront',
      socket: { address: '127.0.0.1', port: 21000 },
      app: { address: '127.0.0.1', port: 31000 },
    });
  });

  it('reads the example, and the same document as JSON', () => {
    const fromYaml = regionOf(EXAMPLE);
    expect(fromYaml.autonomy).toBe('act');
    expect(fromYaml.services.map((service) => service.endpoints.length)).toEqual([8, 8, 8, 8]);
    for (const indent of [undefined, 2, '\t'])
      expect(regionOf(JSON.stringify(fromYaml, null, indent))).toEqual(fromYaml);
  });
});

describe('a broken region file', () => {
  it('tells five mistakes at once, each with its code, line and field', () => {
    const text = readFileSync('test/fixtures/regions/five-mistakes.yaml', 'utf8');
    expect(brief(problemsOf(text))).toEqual([
      'unknown-key 5:1 autonomi',
      'bad-value 14:18 delivery.hosts[0].proxy.ingress',
      'bad-value 22:19 services[0].slo.p99Ms',
      'missing 25:5 services[1].capacity.serviceTimeMs',
      'unknown-service 31:37 graph.edges[0].callee',
    ]);
    expect(problemsOf(text).every((p) => p.file === 'region.yaml')).toBe(true);
    expect(problemsOf(text)[0]?.fix).toBe('did you mean "autonomy"?');
    expect(problemsOf(text)[4]?.fix).toBe('did you mean "catalog"?');
  });

  const cases: readonly [what: string, text: string, expected: readonly string[]][] = [
    ['another API', edited('psmg/v1', 'psmg/v2'), ['api-version apiVersion @ psmg/v2']],
    ['a name that is no DNS label', edited('name: eu-west', 'name: EU_West'), ['bad-value name @ EU_West']],
    ['a number for a name', edited('name: eu-west', 'name: 5'), ['wrong-type name @ 5']],
    ['a key without a value', edited('name: eu-west', 'name:'), ['wrong-type name @ name:']],
    [
      'no services',
      MINIMAL.replace(/services:[\s\S]*?graph:/, 'services: []\ngraph:'),
      [
        'bad-value services @ services:',
        'unknown-service graph.edges[0].caller @ storefront',
        'unknown-service graph.edges[0].callee @ catalog',
      ],
    ],
    ['no entry service', edited('    entry: { pathPrefix: /shop }\n', ''), ['no-entry services @ services:']],
    [
      'two services of one name',
      edited('name: catalog', 'name: storefront'),
      ['duplicate-name services[1].name @ storefront', 'unknown-service graph.edges[0].callee @ catalog'],
    ],
    [
      'an endpoint used twice',
      edited('127.0.0.1:21040', '127.0.0.1:21001'),
      ["duplicate-endpoint services[1].endpoints[0] @ '127.0.0.1:21001'"],
    ],
    [
      'a proxy on the port of an instance',
      edited('mesh: 127.0.0.1:18081', 'mesh: 127.0.0.1:21040'),
      ["duplicate-endpoint services[1].endpoints[0] @ '127.0.0.1:21040'"],
    ],
    [
      'a falling range',
      edited('21000-21001', '21001-21000'),
      ["bad-value services[0].endpoints[0] @ '127.0.0.1:21001-21000'"],
    ],
    [
      'an endpoint with a typing mistake inside',
      edited('port: 21009', 'prot: 21009'),
      ['missing services[0].endpoints[1].port @ {', 'unknown-key services[0].endpoints[1].prot @ prot:'],
    ],
    [
      'an impossible address',
      edited("'127.0.0.1:21040'", "'127.0.0.999:21040'"),
      ["bad-value services[1].endpoints[0] @ '127.0.0.999:21040'"],
    ],
    [
      'an SLO below the service time',
      edited('p99Ms: 600', 'p99Ms: 100'),
      ['unreachable-slo services[0].slo.p99Ms @ 100'],
    ],
    [
      'more instances than endpoints',
      edited('slo: { p99Ms: 250 }', 'slo: { p99Ms: 250 }\n    minInstances: 3'),
      ['too-few-endpoints services[1].minInstances @ 3'],
    ],
    [
      'ssh without its settings',
      edited('connection: local', 'connection: ssh'),
      ['missing delivery.hosts[0].ssh @ name:'],
    ],
    [
      'ssh settings for a local host',
      edited('connection: local', 'connection: local\n      ssh: { address: a, user: b, hostKey: c }'),
      ['contradiction delivery.hosts[0].ssh @ ssh:', 'bad-value delivery.hosts[0].ssh.hostKey @ c'],
    ],
    [
      'a relative folder',
      edited('/var/lib/psmg', '.psmg'),
      ['bad-value delivery.hosts[0].directory @ .psmg/hosts/edge-1'],
    ],
    [
      'a circle of calls',
      edited('1.5 }', '1.5 }\n    - { caller: catalog, callee: storefront, callsPerRequest: 1 }'),
      ['cycle graph.edges[1] @ {'],
    ],
    [
      'a circle of calls that die out, which is none of them',
      edited(
        '1.5 }',
        '1.5 }\n    - { caller: catalog, callee: storefront, callsPerRequest: 0.5 }\n    - { caller: catalog, callee: nobody, callsPerRequest: 1 }',
      ),
      ['unknown-service graph.edges[2].callee @ nobody'],
    ],
    ['a service that calls itself', edited('callee: catalog', 'callee: storefront'), ['cycle graph.edges[0] @ {']],
    [
      'a call stated twice',
      edited('1.5 }', '1.5 }\n    - { caller: storefront, callee: catalog, callsPerRequest: 1 }'),
      ['duplicate-edge graph.edges[1] @ {'],
    ],
    [
      'steps that do not rise to 100',
      `${MINIMAL}activation: { steps: [10, 50, 25, 90] }\n`,
      ['bad-value activation.steps[2] @ 25', 'bad-value activation.steps[3] @ 90'],
    ],
    ['seasons that do not rise', edited('[24, 168]', '[168, 24]'), ['bad-value forecast.seasons[1] @ 24']],
    [
      'an event that ends before it starts, at an unknown service',
      `${MINIMAL}events:\n  - { id: a, kind: sale, start: 2026-03-02T00:00:00Z, end: 2026-03-01T00:00:00Z, services: [shop] }\n`,
      ['bad-value events[0].end @ 2026-03-01T00:00:00Z', 'unknown-service events[0].services[0] @ shop'],
    ],
    [
      'an event without a zone, and on a day that does not exist',
      `${MINIMAL}events:\n  - { id: a, kind: sale, start: 2026-03-02T00:00:00, end: 2026-02-30T00:00:00Z }\n`,
      ['bad-value events[0].start @ 2026-03-02T00:00:00', 'bad-value events[0].end @ 2026-02-30T00:00:00Z'],
    ],
    [
      'a neighbour that is the region itself',
      `${MINIMAL}neighbours:\n  - name: eu-west\n    locality: { region: a, zone: b }\n    gateway: 127.0.0.1:1\n    networkLatencyMs: 1\n    spareRps: { shop: 1 }\n`,
      ['self-neighbour neighbours[0].name @ eu-west', 'unknown-service neighbours[0].spareRps.shop @ shop:'],
    ],
    ['a hook that is no URL', `${MINIMAL}hooks: { entry: { url: /here } }\n`, ['bad-value hooks.entry.url @ /here']],
    [
      'a hook of a relative program',
      `${MINIMAL}hooks: { entry: { command: [move, --now] } }\n`,
      ['bad-value hooks.entry.command[0] @ move'],
    ],
    [
      'a hook of both kinds',
      `${MINIMAL}hooks: { entry: { url: 'http://a/', command: [/b] } }\n`,
      ['bad-value hooks.entry @ entry:'],
    ],
    ['a hook of neither', `${MINIMAL}hooks: { entry: {} }\n`, ['bad-value hooks.entry @ entry:']],
    [
      'a time zone that is none',
      edited('forecast: {', 'forecast: { timeZone: Europe/Belrin,'),
      ['bad-value forecast.timeZone @ Europe/Belrin'],
    ],
    [
      'proxies in front of no service, of no endpoint, of one endpoint twice',
      inbound(
        '{ service: catlog, socket: 127.0.0.1:21040, app: 127.0.0.1:31040 }',
        '{ service: catalog, socket: 127.0.0.1:21041, app: 127.0.0.1:31041 }',
        '{ service: catalog, socket: 127.0.0.1:21040, app: 127.0.0.1:31042 }',
        '{ service: catalog, socket: 127.0.0.1:21040, app: 127.0.0.1:31043 }',
      ),
      [
        'unknown-service delivery.hosts[0].proxy.inbound[0].service @ catlog',
        'no-endpoint delivery.hosts[0].proxy.inbound[1].socket @ 127.0.0.1:21041',
        'duplicate-endpoint delivery.hosts[0].proxy.inbound[3].socket @ 127.0.0.1:21040',
      ],
    ],
    [
      'instances behind proxies on the port of a listener, of an endpoint and of each other',
      inbound(
        '{ service: storefront, socket: 127.0.0.1:21000, app: 127.0.0.1:18081 }',
        '{ service: storefront, socket: 127.0.0.1:21001, app: 127.0.0.1:31001 }',
        '{ service: storefront, socket: 127.0.0.1:21009, app: 127.0.0.1:31001 }',
        '{ service: catalog, socket: 127.0.0.1:21040, app: 127.0.0.1:21040 }',
      ),
      [
        'duplicate-endpoint delivery.hosts[0].proxy.inbound[0].app @ 127.0.0.1:18081',
        'duplicate-endpoint delivery.hosts[0].proxy.inbound[2].app @ 127.0.0.1:31001',
        "duplicate-endpoint services[1].endpoints[0] @ '127.0.0.1:21040'",
      ],
    ],
    [
      'proxies in front of some endpoints of a service only',
      inbound('{ service: storefront, socket: 127.0.0.1:21000, app: 127.0.0.1:31000 }'),
      ["partly-inbound services[0].endpoints[0] @ '127.0.0.1:21000-21001'"],
    ],
    [
      'bytes without a proxy in front, with affinity and an entry',
      edited('    entry: { pathPrefix: /shop }', '    entry: { pathPrefix: /shop }\n    protocol: tcp').replace(
        '  - name: catalog',
        '    affinity: { header: x-user }\n  - name: catalog',
      ),
      [
        'contradiction services[0].entry @ entry:',
        'contradiction services[0].protocol @ tcp',
        'contradiction services[0].affinity @ affinity:',
      ],
    ],
    [
      'half of what CPU needs, half of what costs need',
      `${edited('startupSeconds: 3 }', 'startupSeconds: 3, cpuMsPerRequest: 20 }')}costs: { idlePerInstanceHour: 1 }\n`,
      ['missing services[0].capacity.coresPerInstance @ capacity:', 'missing costs.shortagePerRequest @ costs:'],
    ],
    [
      'the loss of a zone to survive in one zone',
      `${edited("['127.0.0.1:21040']", "['127.0.0.1:21040', { at: 127.0.0.1:21041-21042, zone: eu-west-1b }]")}planning: { survive: zone }\n`,
      ['too-few-zones services[0].endpoints @ endpoints:'],
    ],
    ['TLS that says nothing', `${MINIMAL}tls: {}\n`, ['missing tls @ tls:']],
    [
      'TLS whose key is its certificate',
      `${MINIMAL}tls: { ingress: { certificateFile: /a.pem, privateKeyFile: /a.pem } }\n`,
      ['contradiction tls.ingress.privateKeyFile @ /a.pem'],
    ],
    [
      'sources of no known kind, from nowhere, from two places, of one name',
      `${MINIMAL}eventSources:\n  - { kind: icla, file: a }\n  - { kind: ical }\n  - { kind: csv, name: a, file: a, url: http://b }\n  - { kind: csv, name: a, file: b }\n`,
      [
        'bad-value eventSources[0].kind @ icla',
        'missing eventSources[1] @ {',
        'contradiction eventSources[2].url @ url:',
        'duplicate-name eventSources[3].name @ a',
      ],
    ],
    [
      'sources with mistakes inside',
      `${MINIMAL}eventSources:\n  - { kind: holidays, country: Germany, type: [bank], region: A }\n  - { kind: json, file: a, fields: { start: from } }\n  - { kind: news, file: a, services: [shop] }\n  - { kind: calendar, url: b, tokenVariable: a-b }\n`,
      [
        'bad-value eventSources[0].country @ Germany',
        'unknown-key eventSources[0].type @ type:',
        'missing eventSources[0].region @ region:',
        'bad-value eventSources[1].fields.start @ from',
        'unknown-service eventSources[2].services[0] @ shop',
        'bad-value eventSources[3].url @ b',
        'bad-value eventSources[3].tokenVariable @ a-b',
      ],
    ],
    ['a key written twice', `${MINIMAL}name: eu-west\n`, ['duplicate-key name @ name:']],
    [
      'NaN and infinity',
      edited('p99Ms: 600', 'p99Ms: .nan').replace('p99Ms: 250', 'p99Ms: .inf'),
      ['wrong-type services[0].slo.p99Ms @ .nan', 'wrong-type services[1].slo.p99Ms @ .inf'],
    ],
  ];
  it.each(cases)('%s', (_, text, expected) => {
    expect(pointed(text)).toEqual(expected);
  });

  it('says what was meant by a time zone or a kind of source', () => {
    const zone = problemsOf(edited('forecast: {', 'forecast: { timeZone: Europe/Belrin,'))[0];
    expect(zone?.fix).toBe('did you mean "Europe/Berlin"?');
    const kind = problemsOf(`${MINIMAL}eventSources: [{ kind: icla }]\n`)[0];
    expect(kind?.message).toContain('ical, csv, json, holidays, news or calendar');
  });

  it('accepts two hosts that use the same loopback ports, each on its own machine', () => {
    const key = `ssh-ed25519 ${'A'.repeat(68)}`;
    const ssh = edited(
      'connection: local',
      `connection: ssh\n      ssh: { address: 10.0.0.1, user: ops, hostKey: "${key}" }`,
    );
    const host = /- name: edge-1[\s\S]*?18082 }\n/.exec(ssh)?.[0] ?? '';
    const region = regionOf(ssh.replace(host, `${host}    ${host.replace('edge-1', 'edge-2')}`));
    expect(region.delivery.hosts.map((h) => [h.name, h.ssh?.port])).toEqual([
      ['edge-1', 22],
      ['edge-2', 22],
    ]);
  });

  it('warns of a service that no demand can reach', () => {
    const result = parseRegion(MINIMAL.replace(/graph:\n.*\n.*\n/, ''));
    expect(result.ok && result.warnings.map((w) => `${w.code} ${w.line} ${w.field}`)).toEqual([
      'no-demand 22 services[1].name',
    ]);
  });
});

describe('a text that is not a region file', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`)
    .join('\n')}\n`;
  const cases: readonly [what: string, text: string, code: string][] = [
    ['nothing', '', 'empty'],
    ['blank lines', '\n \n', 'empty'],
    ['a comment only', '# nothing\n', 'empty'],
    ['a list', '- a\n- b\n', 'not-a-mapping'],
    ['a word', 'region', 'not-a-mapping'],
    ['two documents', `${MINIMAL}---\nname: b\n`, 'several-documents'],
    ['an open bracket', 'services: [a, b', 'yaml-syntax'],
    ['tabs for indentation', 'a:\n\tb: 1\n', 'yaml-syntax'],
    ['an unknown alias', 'a: *b\n', 'alias-limit'],
    ['an alias bomb', bomb, 'alias-limit'],
    ['deep flow nesting', `a: ${'['.repeat(50_000)}`, 'too-deep'],
    ['deep block nesting', `${'- '.repeat(50_000)}a`, 'too-deep'],
    ['more than 1 MiB', `a: ${'x'.repeat(1024 * 1024)}`, 'too-large'],
  ];
  it.each(cases)('%s', (_, text, code) => {
    const problems = problemsOf(text);
    expect(problems[0]?.code).toBe(code);
    expect(problems.every((p) => (p.line ?? 0) >= 1 && (p.column ?? 0) >= 1)).toBe(true);
  });

  it('reads a mapping of very many keys in bounded time', () => {
    const text = Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join('\n');
    const from = performance.now();
    expect(problemsOf(text)).toHaveLength(501);
    expect(problemsOf(text).at(-1)).toMatchObject({ code: 'more' });
    expect(performance.now() - from).toBeLessThan(20_000);
  });
});

describe('no text makes it throw', () => {
  const told = (text: string): boolean => {
    const result = parseRegion(text);
    return (
      result.ok || (result.problems.length > 0 && result.problems.every((p) => p.message !== '' && (p.line ?? 0) >= 1))
    );
  };

  it('random text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), told), { numRuns: 300 });
    const yamlish = fc.string({
      unit: fc.constantFrom(...'[]{}:,-?&*!|>%@`"\'# \n\tab1<~.\0'.split('')),
      maxLength: 60,
    });
    fc.assert(fc.property(yamlish, told), { numRuns: 1000 });
  });

  it('random documents', () => {
    const keys = fc.constantFrom(
      'name',
      'services',
      'graph',
      'edges',
      'delivery',
      'hosts',
      'endpoints',
      'activation',
      '__proto__',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(keys, tree), (document) => told(JSON.stringify(document))),
      { numRuns: 300 },
    );
  });

  it('the example with characters cut out, doubled or replaced', () => {
    const edit = fc.record({ at: fc.nat(EXAMPLE.length - 1), length: fc.nat(30), text: fc.string({ maxLength: 5 }) });
    fc.assert(
      fc.property(edit, ({ at, length, text }) => told(EXAMPLE.slice(0, at) + text + EXAMPLE.slice(at + length))),
      { numRuns: 100 },
    );
  });
});

describe('freezes and approvals', () => {
  const doc = `${MINIMAL}
approvals: {approverNotRequester: true}
freezes:
  - {why: sale, from: 2026-11-27T00:00:00Z, to: 2026-11-27T00:00:00Z}
  - {why: weekend, weekly: {from: Fri 16:00, to: Fri 16:00, timeZone: Europe/Berlin}}
  - {why: night, weekly: {from: Fri 25:00, to: Mon 08:00, timeZone: Europe/Belrin}}
  - {why: both, from: 2026-11-27T00:00:00Z, to: 2026-11-28T00:00:00Z, weekly: {from: Fri 16:00, to: Mon 08:00, timeZone: UTC}}
  - {why: never}
`;

  it('are refused whole, every problem named', () => {
    expect(problemsOf(doc).map((problem) => `${problem.code} ${problem.field}`)).toEqual([
      'missing approvals.requester',
      'bad-value freezes[0].to',
      'bad-value freezes[1].weekly.to',
      'bad-value freezes[2].weekly.from',
      'bad-value freezes[2].weekly.timeZone',
      'contradiction freezes[3].from',
      'contradiction freezes[3].to',
      'missing freezes[4]',
    ]);
  });

  it('are read as they are', () => {
    const weekly = 'weekly: {from: Fri 16:00, to: Mon 08:00, timeZone: Europe/Berlin}';
    const once = 'from: 2026-11-27T00:00:00Z, to: 2026-11-28T00:00:00Z';
    const text = `${MINIMAL}\nfreezes: [{why: weekend, ${weekly}}, {why: sale, ${once}}]\n`;
    expect(regionOf(text).freezes).toEqual([
      { why: 'weekend', weekly: { from: 'Fri 16:00', to: 'Mon 08:00', timeZone: 'Europe/Berlin' } },
      { why: 'sale', from: '2026-11-27T00:00:00Z', to: '2026-11-28T00:00:00Z' },
    ]);
  });
});

describe('region files of an older version', () => {
  const versions: RegionVersions = {
    current: 'psmg/v1',
    migrations: { 'psmg/v0': { to: 'psmg/v1', migrate: ({ title, ...rest }) => ok({ ...rest, name: title }) } },
  };
  const old = MINIMAL.replace('psmg/v1', 'psmg/v0').replace(/^name:/m, 'title:');

  it('are read as the current one, with a warning that points at the version', () => {
    const result = parseRegion(old, 'region.yaml', versions);
    expect(result).toMatchObject({ ok: true, value: regionOf(MINIMAL) });
    expect(brief(result.ok ? result.warnings : [])).toEqual([
      expect.stringMatching(/^api-version-old \d+:\d+ apiVersion$/),
    ]);
  });

  it('are refused with every problem where nothing reads them', () => {
    const told = problemsOf(old.replace('psmg/v0', 'psmg/v9')).map(({ code, field }) => `${code} ${field}`);
    expect(told.sort()).toEqual(['api-version apiVersion', 'missing name', 'unknown-key title']);
  });
});
