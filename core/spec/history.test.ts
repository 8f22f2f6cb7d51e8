import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { parseRegion } from './parseRegion.js';
import type { RegionSpec } from './region.js';

const MINIMAL = readFileSync('test/fixtures/regions/minimal.yaml', 'utf8');
const URL_LINE = 'url: "http://127.0.0.1:9090"';

const withHistory = (history: string): string => MINIMAL.replace(/^history: .*$/m, `history: ${history}`);
const withSignals = (prometheus: string): string => `${MINIMAL}signals: { prometheus: ${prometheus} }\n`;

function regionOf(text: string): RegionSpec {
  const parsed = parseRegion(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.value;
}

/** `code line:column field` of each problem. */
function problemsOf(text: string): string[] {
  const parsed = parseRegion(text);
  if (parsed.ok) return [];
  const lines = text.split('\n');
  return parsed.problems.map((p) => {
    const at = (lines[(p.line ?? 0) - 1] ?? '').slice((p.column ?? 0) - 1);
    return `${p.code} ${p.field} @ ${/^[^\s,}\]]*/.exec(at)?.[0] ?? ''}`;
  });
}

describe('the history of a region file', () => {
  it('is a file as before, with or without its kind', () => {
    const wanted = { kind: 'csv', file: 'a.csv', stepSeconds: 60 };
    expect(regionOf(withHistory('{ file: a.csv, stepSeconds: 60 }')).history).toEqual(wanted);
    expect(regionOf(withHistory('{ kind: csv, file: a.csv, stepSeconds: 60 }')).history).toEqual(wanted);
  });

  it('or a server, with the documented defaults', () => {
    const written = `{ stepSeconds: 60, borrow: { file: b.csv }, prometheus: { ${URL_LINE}, preset: otel } }`;
    expect(regionOf(withHistory(written)).history).toEqual({
      kind: 'prometheus',
      stepSeconds: 60,
      borrow: { file: 'b.csv' },
      prometheus: { url: 'http://127.0.0.1:9090', preset: 'otel', days: 28, delaySeconds: 60, timeoutSeconds: 30 },
    });
  });

  it.each([
    ['{ stepSeconds: 60 }', ['missing history @ history:']],
    ['{ stepSeconds: 60, kind: csv }', ['missing history.file @ history:']],
    ['{ stepSeconds: 60, kind: prometheus }', ['missing history.prometheus @ history:']],
    [
      `{ stepSeconds: 60, file: a, prometheus: { ${URL_LINE}, preset: otel } }`,
      ['contradiction history.prometheus @ prometheus:'],
    ],
    [`{ stepSeconds: 60, kind: csv, prometheus: { ${URL_LINE}, preset: otel } }`, ['contradiction history.kind @ csv']],
    ['{ stepSeconds: 60, kind: prometheus, file: a }', ['contradiction history.kind @ prometheus']],
    [`{ stepSeconds: 60, prometheus: { ${URL_LINE} } }`, ['missing history.prometheus @ prometheus:']],
    [
      `{ stepSeconds: 60, prometheus: { ${URL_LINE}, preset: otel, query: up, serviceLabel: a } }`,
      ['contradiction history.prometheus.query @ query:'],
    ],
    [
      `{ stepSeconds: 60, prometheus: { ${URL_LINE}, query: up, labels: { a: b } } }`,
      ['missing history.prometheus.serviceLabel @ prometheus:', 'contradiction history.prometheus.labels @ labels:'],
    ],
    // Each in its place, however many there are, schema and relations together.
    [
      '{ stepSeconds: 0, prometheus: { url: "ftp://a", preset: linkerd, dyas: 3, names: { a: nobody }, labels: { "a-b": c } } }',
      [
        'bad-value history.stepSeconds @ 0',
        'bad-value history.prometheus.url @ "ftp://a"',
        'bad-value history.prometheus.preset @ linkerd',
        'unknown-key history.prometheus.dyas @ dyas:',
        'unknown-service history.prometheus.names.a @ nobody',
        'bad-value history.prometheus.labels.a-b @ "a-b":',
      ],
    ],
  ])('refuses %s', (history, problems) => {
    expect(problemsOf(withHistory(history))).toEqual(problems);
  });

  it('holds no secret, and says where one is kept in one place only', () => {
    const of = (more: string, url = 'http://127.0.0.1:9090'): string[] =>
      problemsOf(withHistory(`{ stepSeconds: 60, prometheus: { preset: otel, url: "${url}", ${more} } }`));
    expect(of('', 'https://me:pw@host/')).toEqual(['secret history.prometheus.url @ "https://me:pw@host/"']);
    expect(of('', 'https://host/?token=1')).toEqual(['bad-value history.prometheus.url @ "https://host/?token=1"']);
    expect(of('headers: { Authorization: x }')).toEqual([
      'secret history.prometheus.headers.Authorization @ Authorization:',
    ]);
    expect(of('headers: { "a b": x }')).toEqual(['bad-value history.prometheus.headers["a b"] @ "a']);
    expect(of('token: {}')).toEqual(['missing history.prometheus.token @ token:']);
    expect(of('token: { env: A, file: b }')).toEqual(['contradiction history.prometheus.token.file @ file:']);
    expect(of('token: { env: "not a name" }')).toEqual(['bad-value history.prometheus.token.env @ "not']);
    expect(of('token: { file: b, scheme: basic }, headers: { X-Scope-OrgID: a }')).toEqual([]);
  });

  it('suggests the key that was meant', () => {
    const parsed = parseRegion(withHistory(`{ stepSeconds: 60, prometheus: { ${URL_LINE}, presett: otel } }`));
    const fixes = parsed.ok ? [] : parsed.problems.map((p) => p.fix);
    expect(fixes).toContain('did you mean "preset"?');
  });
});

describe('the signals of a region file', () => {
  it('have the documented defaults, and may be left out', () => {
    expect(regionOf(MINIMAL)).not.toHaveProperty('signals');
    expect(regionOf(withSignals(`{ ${URL_LINE}, preset: psmg }`)).signals).toEqual({
      prometheus: {
        url: 'http://127.0.0.1:9090',
        preset: 'psmg',
        timeoutSeconds: 5,
        minWindowSeconds: 60,
        maxAgeSeconds: 60,
      },
    });
  });

  it.each([
    [`{ ${URL_LINE} }`, ['missing signals.prometheus @ prometheus:']],
    [`{ ${URL_LINE}, queries: { newest: up } }`, ['missing signals.prometheus @ prometheus:']],
    [
      `{ ${URL_LINE}, queries: { rps: up } }`,
      ['missing signals.prometheus.serviceLabel @ prometheus:', 'missing signals.prometheus.queries.newest @ queries:'],
    ],
    [`{ ${URL_LINE}, preset: istio, queries: { rsp: up } }`, ['unknown-key signals.prometheus.queries.rsp @ rsp:']],
    [`{ ${URL_LINE}, preset: istio, names: { a: nobody } }`, ['unknown-service signals.prometheus.names.a @ nobody']],
    [`{ url: "http://a:b@c", preset: istio }`, ['secret signals.prometheus.url @ "http://a:b@c"']],
  ])('refuse %s', (prometheus, problems) => {
    expect(problemsOf(withSignals(prometheus)).sort()).toEqual([...problems].sort());
  });
});
