import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readDeploymentRecords } from './readRecords.js';

const ROOT = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/deployment-records.md', ROOT), 'utf8');
const fenced = [...page.matchAll(/^```(csv|json|jsonl)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => [
  kind,
  text,
]);
const files = readdirSync(new URL('examples/', ROOT)).filter((name) => name.startsWith('deployments'));

describe('the examples of records', () => {
  it('on the page are read', () => {
    const read = fenced.map(([, text = '']) => readDeploymentRecords(text, 'page'));
    expect(read.map((one) => (one.ok ? one.value.length : one.problems))).toEqual([3, 2, 1, 2]);
    expect(read[3]).toMatchObject({
      ok: true,
      value: [{ startupSeconds: 8 }, { startupSeconds: 12.5, service: 'front' }],
    });
  });

  it('in their folder are read', () => {
    const text = (name: string): string => readFileSync(new URL(`examples/${name}`, ROOT), 'utf8');
    const read = Object.fromEntries(files.map((name) => [name, readDeploymentRecords(text(name), name)]));
    expect(files).toEqual(['deployments-ansible.json', 'deployments-kubernetes.json', 'deployments.csv']);
    expect(read['deployments.csv']).toMatchObject({ ok: true });
    const at = Date.parse('2012-03-05T08:58:10Z');
    const checkout = { service: 'checkout', instances: 2, cpu: 2, memoryMiB: 512 };
    expect(read['deployments-kubernetes.json']).toMatchObject({
      ok: true,
      value: [
        { ...checkout, at, throughputRps: 16.5, p99Ms: 831 },
        { ...checkout, at: at + 1000, startupSeconds: 4 },
        { ...checkout, at: at + 1000, startupSeconds: 6 },
      ],
    });
    expect(read['deployments-ansible.json']).toMatchObject({
      ok: true,
      value: [{ service: 'catalog', instances: 2, startupSeconds: 1.8, throughputRps: 82.5, p99Ms: 191 }],
    });
  });

  it('are named by the page', () => {
    for (const name of files.filter((one) => one.endsWith('.json'))) expect(page).toContain(`examples/${name}`);
  });
});
