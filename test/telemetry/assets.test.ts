import { describe, expect, it } from '@jest/globals';
import { METRICS } from '../../adapters/telemetry/catalogue.js';
import { readQueries, readRules, readText } from './assets.js';

const PROCESS = ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes'];
const known = new Set([...Object.keys(METRICS), ...PROCESS, 'nodejs_eventloop_lag_p99_seconds']);

function metricsOf(expression: string): string[] {
  const names = expression.match(/\b(psmg|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return names.map((name) => (known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')));
}

describe('dashboards and alert rules', () => {
  it('name no metric that does not exist', () => {
    const expressions = [
      ...readRules().map(({ alert, expr }) => ({ where: alert, text: expr })),
      ...readQueries().filter(({ language }) => language === 'promql'),
    ];
    expect(expressions.length).toBeGreaterThan(50);
    const strangers = expressions.flatMap(({ where, text }) =>
      metricsOf(text).flatMap((name) => (known.has(name) ? [] : [`${where}: ${name}`])),
    );
    expect(strangers).toEqual([]);
  });

  it('show every metric of the catalogue somewhere', () => {
    const used = new Set(readQueries().flatMap(({ text }) => metricsOf(text)));
    expect(Object.keys(METRICS).filter((name) => !used.has(name))).toEqual([]);
  });

  it('lead from every alert to a section of docs/telemetry.md', () => {
    const document = readText('docs', 'telemetry.md');
    const anchors = [...document.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const { annotations } of readRules()) {
      expect(Object.values(annotations).every((text) => text.length > 10)).toBe(true);
      expect(anchors).toContain(annotations.runbook_url.replace('docs/telemetry.md#', ''));
    }
  });

  it('rest on metrics that docs/telemetry.md lists', () => {
    const document = readText('docs', 'telemetry.md');
    expect(Object.keys(METRICS).filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
  });
});
