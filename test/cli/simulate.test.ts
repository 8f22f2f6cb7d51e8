import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { simulatePlans } from '../../cli/simulate.js';
import type { PlanReport, SimulationReport } from '../../cli/simulateReport.js';
import type { ComparedRow } from '../../core/simulate/compare.js';
import type { MeshPlan } from '../../core/spec/plan.js';
import { formatProblem } from '../../core/spec/problem.js';
import { forecastOf } from '../fixtures/regionSpec.js';
import { psmg } from './psmg.js';

jest.setTimeout(120_000);

let folder: string;
let out: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'psmg-simulate-'));
  out = path.join(folder, 'out');
  const demand = path.join(folder, 'demand.json');
  await writeFile(demand, JSON.stringify(forecastOf({ storefront: 120, checkout: 30 })));
  const planned = await psmg('plan', 'examples/eu-west/region.yaml', '--out', out, '--demand', demand);
  if (planned.code !== 0) throw new Error(planned.stderr);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function written(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

type Options = Partial<Parameters<typeof simulatePlans>[1]>;

/** As the command does it, in this process. */
async function simulated(plans: readonly string[], more: Options = {}): Promise<SimulationReport> {
  const report = await simulatePlans(plans, { seed: 1, seconds: 10, speed: 1, ...more });
  if (!report.ok) throw new Error(JSON.stringify(report.problems));
  return report.value;
}

async function refusal(more: Options): Promise<string> {
  const report = await simulatePlans([out], { seed: 1, seconds: 10, speed: 1, ...more });
  return report.ok ? '' : report.problems.map(formatProblem).join('\n');
}

const row = ({ rows }: PlanReport, of: ComparedRow['of'], name: string): ComparedRow['figures'] =>
  rows.find((one) => one.of === of && one.name === name)!.figures;

/** The same folder with half of the instances of a service, and what is rendered for them untouched. */
async function halved(service: string): Promise<string> {
  const copy = path.join(folder, 'half');
  await cp(out, copy, { recursive: true });
  const plan = JSON.parse(await readFile(path.join(copy, 'plan.json'), 'utf8')) as MeshPlan;
  for (const window of plan.windows) {
    for (const one of window.services) {
      if (one.service === service) one.instances.value = Math.floor(one.instances.value / 2);
    }
  }
  await writeFile(path.join(copy, 'plan.json'), JSON.stringify(plan));
  return copy;
}

describe('psmg simulate', () => {
  it('shows no difference of a plan to itself, and says the same bytes for the same seed', async () => {
    const report = await simulated([out, out]);
    const [first, second] = report.plans as [PlanReport, PlanReport];
    expect(second.rows).toEqual(first.rows);
    expect(second.differences).toHaveLength(first.rows.length);
    const values = second.differences.flatMap(({ figures }) => Object.values(figures));
    expect(values.filter((value) => value !== null && value !== 0)).toEqual([]);
    // 120 rps of the plan, Poisson: within 5 standard deviations.
    const { offered } = row(first, 'entry', 'storefront');
    expect(Math.abs(offered - 1200)).toBeLessThan(5 * Math.sqrt(1200));
    const { stdout } = await psmg('simulate', out, out, '--seconds', '10', '--format', 'json');
    expect(stdout).toBe(`${JSON.stringify(report, null, 2)}\n`);
    const other = await simulated([out], { seed: 2 });
    expect(other.plans[0]!.rows).not.toEqual(first.rows);
  });

  it('shows what half of the instances costs, and exits 1 with the service that breaks its SLO', async () => {
    const half = await halved('storefront');
    const { code, stdout, stderr } = await psmg('simulate', out, half, '--seconds', '10');
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`${half}: storefront breaks its SLO: p99`));
    expect(stdout).toMatch(/users → storefront +A +\d+/);
    expect(stdout).toContain('it ranks plans, it is no promise');
    const [full, less] = (await simulated([out, half])).plans as [PlanReport, PlanReport];
    const [before, after] = [row(full, 'entry', 'storefront'), row(less, 'entry', 'storefront')];
    // Common random numbers: the same users come.
    expect(after.offered).toBe(before.offered);
    const lost = (one: ComparedRow['figures']): number => one.refusedInAll + one.timedOut;
    expect(lost(before)).toBeLessThan(10);
    expect(lost(after)).toBeGreaterThan(100);
    expect(after.goodShare).toBeLessThan(0.8);
    const hours = less.differences.find(({ of, name }) => of === 'service' && name === 'storefront')!;
    expect(hours.figures.instanceHours).toBeLessThan(0);
    expect(less.slo.find(({ service }) => service === 'storefront')?.verdict).toBe('broken');
  });

  it('raises p99 where an instance is slow, of its service and of those that call it', async () => {
    const faults = await written(
      'faults.yaml',
      'faults:\n  - { kind: slowInstance, service: catalog, factor: 8, fromSeconds: 2, toSeconds: 9 }\n',
    );
    const [sound, slow] = [await simulated([out]), await simulated([out], { faults })];
    const p99 = (report: SimulationReport, name: string): number => row(report.plans[0]!, 'service', name).p99Ms!;
    expect(p99(slow, 'catalog')).toBeGreaterThan(1.5 * p99(sound, 'catalog'));
    expect(p99(slow, 'storefront')).toBeGreaterThan(p99(sound, 'storefront'));
    expect(slow.faults).toEqual([
      { kind: 'slowInstance', service: 'catalog', instance: 0, factor: 8, fromMs: 2000, untilMs: 9000 },
    ]);
  });

  it('refuses a file of faults whole, every problem with its line', async () => {
    const shape = await written(
      'shape.yaml',
      'faults:\n  - { kind: slow, service: catalog, fromSeconds: 1 }\n  - { kind: slowService, service: catalog, factr: 2, fromSeconds: -1 }\n',
    );
    const refused = await psmg('simulate', out, '--faults', shape);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/shape\.yaml:2:\d+ faults\[0\]\.kind: is no kind of fault/);
    expect(refused.stderr).toMatch(/shape\.yaml:3:\d+ faults\[1\]\.factr: .*did you mean "factor"/);
    expect(refused.stderr).toMatch(/shape\.yaml:3:\d+ faults\[1\]\.fromSeconds: /);
    const names = await written(
      'names.yaml',
      'faults:\n  - { kind: slowService, service: catalogue, factor: 2, fromSeconds: 1 }\n  - { kind: instanceDown, service: payments, instance: 40, fromSeconds: 9, toSeconds: 4 }\n',
    );
    const unknown = await refusal({ faults: names });
    expect(unknown).toMatch(/names\.yaml:2:\d+ faults\[0\]\.service: .*did you mean "catalog"/);
    expect(unknown).toMatch(/names\.yaml:3:\d+ faults\[1\]\.instance: is 40: payments runs 3/);
    expect(unknown).toMatch(/names\.yaml:3:\d+ faults\[1\]\.toSeconds: is 4/);
  });

  it('takes demand from a trace, and refuses one of services that users do not reach', async () => {
    const rows = ['timestamp,service,rps', '2026-01-01T00:00:00Z,storefront,10', '2026-01-01T00:01:00Z,storefront,30'];
    const trace = await written('trace.csv', `${rows.join('\n')}\n`);
    const report = await simulated([out], { trace, speed: 12 });
    expect(report.demand.seconds).toBe(10);
    const { offered } = row(report.plans[0]!, 'entry', 'storefront');
    expect(Math.abs(offered - 200)).toBeLessThan(5 * Math.sqrt(200));
    expect(row(report.plans[0]!, 'entry', 'checkout').offered).toBe(0);
    const strange = await written('strange.csv', `${rows.join('\n')}\n2026-01-01T00:00:00Z,catalog,5\n`);
    expect(await refusal({ trace: strange })).toContain('"catalog" is no service at which');
  });

  it('runs a plan under policies: ours alone is the plan itself, and without limits an overload answers nobody in time', async () => {
    const rows = [
      'timestamp,service,rps',
      '2026-01-01T00:00:00Z,storefront,600',
      '2026-01-01T00:01:00Z,storefront,600',
    ];
    const trace = await written('overload.csv', `${rows.join('\n')}\n`);
    const more = { trace, seconds: 20, policy: ['psmg-plan', 'istio-defaults', 'psmg'] };
    const [alone, bare, tuned] = (await simulated([out], more)).plans as [PlanReport, PlanReport, PlanReport];
    const [plain] = (await simulated([out], { trace, seconds: 20 })).plans as [PlanReport];
    expect(alone.rows).toEqual(plain.rows);
    expect([alone, bare, tuned].map(({ policy }) => policy?.name)).toEqual(more.policy);
    const good = (plan: PlanReport): number => row(plan, 'entry', 'storefront').goodShare ?? 0;
    expect(good(bare)).toBeLessThan(0.5 * good(alone));
    expect(good(tuned)).toBeGreaterThan(good(bare));
    const { code, stderr } = await psmg('simulate', out, '--policy', 'psmgg');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/psmg-plan, psmg, istio-defaults/)]);
  });

  it('refuses a plan beside no region file, and a window that no plan has', async () => {
    const alone = await written('alone.json', await readFile(path.join(out, 'plan.json'), 'utf8'));
    const lone = await simulatePlans([alone], { seed: 1, speed: 1 });
    expect(!lone.ok && lone.problems.map(({ file }) => file)).toEqual([path.join(folder, 'region.yaml')]);
    expect((await simulated([alone], { region: path.join(out, 'region.yaml') })).plans).toHaveLength(1);
    expect(await refusal({ window: '2031-01-01T00:00:00.000Z' })).toContain('has no window that holds 2031');
  });
});
