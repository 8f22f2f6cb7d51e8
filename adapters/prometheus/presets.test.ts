import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { parseRegion } from '../../core/spec/parseRegion.js';
import { PROMETHEUS_PRESETS } from '../../core/spec/prometheus.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { historyPreset, signalPreset } from './presets.js';
import { duration, filled, serviceOf } from './promql.js';

const PAGE = readFileSync('docs/prometheus.md', 'utf8');
const MINIMAL = readFileSync('test/fixtures/regions/minimal.yaml', 'utf8');

function regionWith(block: string): RegionSpec {
  const without = block.startsWith('history:') ? MINIMAL.replace(/^history:.*\n/m, '') : MINIMAL;
  const parsed = parseRegion(without + block);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.value;
}

describe('docs/prometheus.md', () => {
  it.each(PROMETHEUS_PRESETS)('has the PromQL of %s as it is asked', (preset) => {
    const signals = Object.values(signalPreset(preset, {})).flat();
    for (const { query } of [historyPreset(preset, {}), ...signals]) {
      expect(PAGE).toContain(`\n${query.replace('quantile(0.5,', 'quantile(0.99,')}\n`);
    }
  });

  it('has snippets that a region file takes', () => {
    const blocks = [...PAGE.matchAll(/```yaml\n([^`]*)```/g)].map(([, block]) => block ?? '');
    const [preset, own, signals] = blocks.map(regionWith);
    expect(blocks).toHaveLength(3);
    expect(preset?.history).toMatchObject({ kind: 'prometheus', prometheus: { preset: 'istio', days: 28 } });
    expect(own?.history).toMatchObject({ stepSeconds: 900, prometheus: { serviceLabel: 'app', delaySeconds: 60 } });
    expect(signals?.signals?.prometheus).toMatchObject({ preset: 'istio', namespace: 'shop', timeoutSeconds: 5 });
  });
});

describe('presets', () => {
  it('are narrowed by labels and namespace, and told apart by another label', () => {
    const choice = { serviceLabel: 'app', labels: { cluster: 'a"b' }, namespace: 'shop' };
    expect(historyPreset('istio', choice)).toEqual({
      label: 'app',
      query:
        'sum by (app) (rate(istio_requests_total{reporter="destination",destination_service_namespace="shop",cluster="a\\"b"}[$step]))',
    });
    const { readyInstances, cpuCores } = signalPreset('otel', choice);
    expect(readyInstances[0]?.query).toContain('kube_deployment_status_replicas_ready{namespace="shop"}');
    expect(cpuCores[0]?.query).toContain('container!="POD",namespace="shop"}');
  });
});

describe('queries', () => {
  it('are filled in by whole words, and keep what stands for something else', () => {
    const query = 'label_replace(rate(a[$step]), "x", "$1", "y", "$stepping") > $maxAge';
    expect(filled(query, { step: '60s', maxAge: '5' })).toBe(
      'label_replace(rate(a[60s]), "x", "$1", "y", "$stepping") > 5',
    );
    expect([60_000, 1500, 999].map(duration)).toEqual(['60s', '1500ms', '999ms']);
  });

  it('name services by a label, or by the name that its value is given', () => {
    expect(serviceOf({ app: 'a' }, 'app', undefined)).toBe('a');
    expect(serviceOf({ app: 'a' }, 'app', { a: 'b' })).toBe('b');
    expect(serviceOf({ app: 'constructor' }, 'app', {})).toBe('constructor');
    expect(serviceOf({ app: '' }, 'app', {})).toBeUndefined();
    expect(serviceOf({}, 'app', {})).toBeUndefined();
  });
});
