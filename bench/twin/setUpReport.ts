import { calibrate, statedTimes } from './calibration.js';
import type { Calibration, Observed } from './calibration.js';
import type { Load } from './loads.js';
import { ratesOf } from './loads.js';
import type { RealRun } from './measure.js';
import { liveSetUp, placedOf } from './realMesh.js';
import { cellTable, cellsOf, summaryOf } from './report.js';
import type { Cell } from './report.js';
import { hostSpec } from '../../test/fixtures/regionSpec.js';
import type { SetUp } from './setUps.js';
import { modelOf, twinFigures } from './twinRun.js';

/** The twin runs so often for each real run. */
const SEEDS = 10;

export interface SetUpReport {
  text: string;
  cells: readonly Cell[];
  /** With service times as stated instead of calibrated. */
  stated: readonly Cell[];
}

/** What the set-up's real runs showed beside what the twin shows of the same rates, and how far it is off. */
export function setUpReport(
  setUp: SetUp,
  loads: readonly Load[],
  runs: readonly RealRun[],
  observed: Observed,
): SetUpReport {
  const calibration = calibrate(setUp, observed);
  const cells = compared(setUp, loads, runs, calibration);
  const stated = compared(setUp, loads, runs, statedTimes(setUp, calibration.overheadMs));
  const known = setUp.services.map(({ name, meanMs }) => {
    const found = calibration.services[name];
    const { meanMs: mean = NaN, cv = NaN, misfit = NaN } = found ?? {};
    return `${name} ${mean.toFixed(1)} ms (${meanMs} stated), CV ${cv.toFixed(2)}, misfit ${misfit.toFixed(2)}`;
  });
  const voided = runs.reduce((sum, run) => sum + run.voided, 0);
  const lines = [
    `**${setUp.name}**: ${setUp.about}. Capacity ${setUp.capacityRps} a second, deadline ${setUp.deadlineMs} ms.`,
    `Calibrated: ${known.join('; ')}; way there and back ${calibration.overheadMs.toFixed(2)} ms. Void runs: ${voided}.`,
  ];
  return { text: `${lines.join('\n')}\n\n${cellTable(cells)}`, cells, stated };
}

function compared(setUp: SetUp, loads: readonly Load[], runs: readonly RealRun[], calibration: Calibration): Cell[] {
  const hosts = Array.from({ length: setUp.proxies }, (_, i) => ({ host: hostSpec({ name: `edge-${i + 1}` }) }));
  const live = liveSetUp(setUp, placedOf(setUp, 20_000, hosts).region);
  const model = modelOf(setUp, live, calibration);
  return loads.flatMap((load) => {
    const real = runs.flatMap((run) => (run.load === load.name && run.figures !== undefined ? [run.figures] : []));
    if (!runs.some((run) => run.load === load.name)) return [];
    const { durationMs, warmUpMs } = load;
    const twin = real.flatMap(({ offeredRps }, repeat) => {
      // What users really asked for: how many came is nothing that the twin should guess.
      const counted = load.points.at(-1)?.times ?? 1;
      const points = ratesOf(load, offeredRps / counted);
      return Array.from({ length: SEEDS }, (_, i) =>
        twinFigures(model, { points, durationMs, warmUpMs, seed: repeat * SEEDS + i + 1 }),
      );
    });
    return cellsOf(load, real, twin);
  });
}

export function summaryReport(
  { seconds, warmUpSeconds, runs }: { seconds: number; warmUpSeconds: number; runs: readonly RealRun[] },
  reports: readonly SetUpReport[],
): string {
  const repeats = new Set(runs.map(({ repeat }) => repeat)).size;
  const counted = runs.filter(({ figures }) => figures !== undefined).length;
  const voided = runs.reduce((sum, run) => sum + run.voided, 0);
  return [
    `${repeats} rounds, ${seconds} s counted after ${warmUpSeconds} s; ${counted} runs counted, ${voided} void and repeated.`,
    `Within what is promised: ${summaryOf(reports.flatMap(({ cells }) => cells))}.`,
    `With service times as stated instead of calibrated: ${summaryOf(reports.flatMap(({ stated }) => stated))}.`,
  ].join('\n');
}
