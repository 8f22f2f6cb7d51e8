import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { POLICIES } from '../core/simulate/allPolicies.js';
import { demandOfTrace, demandOfWindow } from '../core/simulate/demandOf.js';
import type { DemandSource } from '../core/simulate/demandOf.js';
import { faultsOf } from '../core/simulate/faultsOf.js';
import type { TwinFault } from '../core/simulate/model.js';
import { QUANTILES } from '../core/spec/forecast.js';
import { parseInstant } from '../core/spec/instant.js';
import type { Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { QuantileName } from '../core/spec/region.js';
import { formatOption, wholeSeconds } from './options.js';
import { EXIT, printJson, refuse } from './output.js';
import { entriesOf, simulatedPlans } from './simulatePlans.js';
import type { SimulatedPlan } from './simulatePlans.js';
import { brokenSlos, simulationReport } from './simulateReport.js';
import type { SimulationReport } from './simulateReport.js';
import { brokenText, simulationText } from './simulateText.js';
import { readText } from './readText.js';

/** Seconds simulated where nobody says how many: of steady demand, and of a trace at most. */
const STEADY_SECONDS = 60;
const MOST_TRACE_SECONDS = 600;

interface SimulateOptions {
  trace?: string;
  region?: string;
  faults?: string;
  window?: string;
  seed: number;
  seconds?: number;
  speed: number;
  quantile?: QuantileName;
  policy?: string[];
  holdsWorker?: boolean;
  format: 'text' | 'json';
}

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('run plans in the twin under the same demand and faults, and compare them; nothing is applied')
    .argument('<plan...>', 'folder that `psmg plan` wrote, or its plan.json; several side by side')
    .option('--trace <file>', 'demand: CSV timestamp,service,rps, or a forecast as JSON; absent: what the plan is for')
    .option('--region <region.yaml>', 'region file of all plans; absent: the one beside each')
    .option('--faults <file>', 'what goes wrong and when, YAML or JSON')
    .option('--window <from>', "a time in the plans' window that runs; absent: the first plan's busiest", instantText)
    .option('--seed <n>', 'of every random draw', seed, 1)
    .option('--seconds <n>', 'simulated seconds; absent: 60, or the trace, of that at most 600', wholeSeconds)
    .option('--speed <x>', 'seconds of the trace in one simulated second', speed, 1)
    .addOption(new Option('--quantile <name>', "of a forecast (p95), or the plan's own").choices(QUANTILES))
    .addOption(
      new Option(
        '--policy <name...>',
        'run every plan under each: our plan alone, the tuner, peers (docs/peers.md)',
      ).choices(POLICIES.map(({ name }) => name)),
    )
    .option('--holds-worker', 'a worker waits for the services that its request calls')
    .addOption(formatOption())
    .action(async (targets: string[], options: SimulateOptions) => {
      const report = await simulatePlans(targets, options);
      if (!report.ok) return refuse(report.problems, options.format);
      if (options.format === 'json') printJson(report.value);
      else process.stdout.write(simulationText(report.value));
      for (const line of brokenText(report.value)) process.stderr.write(`${line}\n`);
      process.exitCode = brokenSlos(report.value).length > 0 ? EXIT.notSo : EXIT.ok;
    });
}

/** What the command prints of these plans; refused with every problem of every file. */
export async function simulatePlans(
  targets: readonly string[],
  options: Omit<SimulateOptions, 'format'>,
): Promise<Result<SimulationReport>> {
  const holdsWorker = options.holdsWorker === true;
  const plans = await simulatedPlans(targets, {
    ...(options.region === undefined ? {} : { regionFile: options.region }),
    ...(options.window === undefined ? {} : { window: options.window }),
    holdsWorker,
  });
  if (!plans.ok) return plans;
  const demand = await readDemand(plans.value, options);
  const faults = await readFaults(plans.value, options);
  if (!demand.ok || !faults.ok) return refused([demand, faults].flatMap((one) => (one.ok ? [] : one.problems)));
  const { seed, speed } = options;
  const seconds = options.seconds ?? secondsOf(demand.value);
  const policies = (options.policy ?? []).flatMap((name) => POLICIES.filter((one) => one.name === name));
  return ok(simulationReport(plans.value, demand.value, faults.value, { seed, seconds, speed, holdsWorker }, policies));
}

async function readDemand(
  [first]: readonly SimulatedPlan[],
  options: Omit<SimulateOptions, 'format'>,
): Promise<Result<DemandSource>> {
  if (first === undefined) throw new RangeError('at least one plan');
  const entries = entriesOf(first.region);
  if (options.trace === undefined) return demandOfWindow(first.window, entries, options.quantile);
  const text = await readText(options.trace);
  if (!text.ok) return text;
  return demandOfTrace(text.value, options.trace, {
    ...{ entries, speed: options.speed, quantile: options.quantile ?? 'p95' },
  });
}

async function readFaults(
  plans: readonly SimulatedPlan[],
  { faults }: Pick<SimulateOptions, 'faults'>,
): Promise<Result<TwinFault[]>> {
  if (faults === undefined) return ok([]);
  const text = await readText(faults);
  if (!text.ok) return text;
  return faultsOf(
    text.value,
    plans.map(({ model }) => model),
    faults,
  );
}

function secondsOf({ seconds }: DemandSource): number {
  return seconds === undefined ? STEADY_SECONDS : Math.min(MOST_TRACE_SECONDS, Math.max(1, Math.ceil(seconds)));
}

function instantText(text: string): string {
  const ms = parseInstant(text);
  if (ms === null) throw new InvalidArgumentError('expected ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z.');
  return new Date(ms).toISOString();
}

function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) throw new InvalidArgumentError('expected 0 to 4294967295.');
  return value;
}

function speed(text: string): number {
  const value = Number(text);
  if (!(value >= 0.01 && value <= 86_400)) throw new InvalidArgumentError('expected a number from 0.01 to 86400.');
  return value;
}
