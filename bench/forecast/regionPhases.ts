import { readFile, writeFile } from 'node:fs/promises';

import type { ForecastCompute } from '../../adapters/compute/port.js';
import type { ServiceChoice } from '../../core/forecast/ensemble/choice.js';
import type { LstmModel } from '../../core/forecast/members/lstm/model.js';
import { finishPrepared, prepareRegion } from '../../core/forecast/prepareRegion.js';
import { DAY_STEPS, measuredShapes, regionRows, serviceName, STEP_SECONDS, WEEK_STEPS } from './regionDemand.js';

export interface RegionOptions {
  folder: string;
  services: number;
  seed: number;
}

/** What one part of a forecast took. */
export interface Cost {
  part: string;
  services: number;
  wallSeconds: number;
  /** Of all threads. */
  cpuSeconds: number;
}

export interface PhaseReport {
  services: number;
  costs: readonly Cost[];
  /** Of the whole process, the made rows included. */
  peakMiB: number;
  /** Services whose choice was made in this forecast. */
  chosen: number;
  /** Services without a draft. */
  none: number;
}

export const HISTORY_STEPS = 2 * WEEK_STEPS;
export const HORIZON_STEPS = DAY_STEPS;
export const SEASONS = [DAY_STEPS, WEEK_STEPS];

/**
 * One forecast of a made region, `day` days after the history first had two weeks, in parts: repair of the history,
 * fits in threads, the region together. Choices are read from a file and written to it.
 */
export async function forecastPhase(
  options: RegionOptions & { day: number; choices: string; network: string },
  compute: ForecastCompute,
): Promise<PhaseReport> {
  const { services, seed, day } = options;
  const shapes = await measuredShapes(options.folder);
  const from = day * DAY_STEPS;
  const rows = regionRows(shapes, { services, seed, from, to: from + HISTORY_STEPS });
  const kept = await keptFor(options);
  const lstm = JSON.parse(await readFile(options.network, 'utf8')) as LstmModel;
  const costs: Cost[] = [];
  const prepared = await measured(costs, 'repair of the history', services, async () =>
    Promise.resolve(
      prepareRegion({
        rows,
        stepSeconds: STEP_SECONDS,
        horizonSteps: HORIZON_STEPS,
        seasons: SEASONS,
        events: [],
        regionName: 'made',
        seed,
        ...(kept === null ? {} : { kept }),
      }),
    ),
  );
  if (!prepared.ok) throw new Error(prepared.problems.map(({ field, message }) => `${field}: ${message}`).join('\n'));
  rows.length = 0;
  const outcomes = await measured(costs, 'fits', services, async () =>
    compute.draft({ jobs: prepared.value.jobs, lstm }, { progress: tellOf(`day ${day}`) }),
  );
  const finished = await measured(costs, 'the region together', services, async () =>
    Promise.resolve(finishPrepared(prepared.value, outcomes)),
  );
  if (kept === null) await writeFile(options.choices, JSON.stringify(finished.choices));
  for (const reason of new Set(outcomes.flatMap((one) => (one.kind === 'none' ? [one.reason] : []))))
    process.stderr.write(`without a model: ${reason}\n`);
  const drafts = outcomes.flatMap((outcome) => (outcome.kind === 'draft' ? [outcome.draft] : []));
  return {
    services,
    costs,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    chosen: drafts.filter(({ isKept }) => !isKept).length,
    none: outcomes.length - drafts.length,
  };
}

/** Choices of the first services, lent to the others in turn: what a fit costs hangs on them, what it says is not scored. */
async function keptFor({
  services,
  day,
  choices,
}: {
  services: number;
  day: number;
  choices: string;
}): Promise<ServiceChoice[] | null> {
  if (day === 0) return null;
  const made = JSON.parse(await readFile(choices, 'utf8')) as ServiceChoice[];
  return Array.from({ length: services }, (_, service): ServiceChoice => {
    const { last, ...choice } = made[service % made.length] ?? fail('no choices');
    const isOwn = service < made.length && last !== undefined;
    return { ...choice, service: serviceName(service), ...(isOwn ? { last } : {}) };
  });
}

function fail(message: string): never {
  throw new Error(message);
}

export async function measured<T>(costs: Cost[], part: string, services: number, work: () => Promise<T>): Promise<T> {
  const [wallMs, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  costs.push({ part, services, wallSeconds: (performance.now() - wallMs) / 1000, cpuSeconds: (user + system) / 1e6 });
  return result;
}

/** Progress on standard error, now and then. */
export function tellOf(title: string): (done: number, total: number, word: string) => void {
  let toldMs = 0;
  return (done, total, word) => {
    if (done < total && performance.now() - toldMs < 5_000) return;
    toldMs = performance.now();
    process.stderr.write(`${title}: ${done} of ${total} (${word})\n`);
  };
}
