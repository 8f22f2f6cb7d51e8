import { deriveSeed } from '../../testbed/random.js';
import { MOST_LAG_MS, figuresOf, lagP99Ms } from './figures.js';
import type { Figures } from './figures.js';
import { sendLoad } from './load.js';
import { ratesOf } from './loads.js';
import type { Load } from './loads.js';
import type { RealMesh } from './realMesh.js';
import type { SetUp } from './setUps.js';

/** A run that is void is repeated so often. */
export const MOST_TRIES = 4;

/** One measurement of real Envoys. */
export interface RealRun {
  setUp: string;
  load: string;
  repeat: number;
  /** Absent: void, however often it was tried. */
  figures?: Figures;
  lagP99Ms: number;
  /** Runs before it that were void. */
  voided: number;
}

export async function measureRun(mesh: RealMesh, setUp: SetUp, load: Load, repeat: number): Promise<RealRun> {
  const points = ratesOf(load, setUp.capacityRps);
  let lagMs = NaN;
  for (let voided = 0; voided < MOST_TRIES; voided++) {
    await mesh.restart();
    const seed = deriveSeed(repeat, `${setUp.name} ${load.name} ${voided}`);
    const sent = await sendLoad({ targets: mesh.ingress, points, durationMs: load.durationMs, seed });
    lagMs = lagP99Ms(sent);
    const run = { setUp: setUp.name, load: load.name, repeat, lagP99Ms: lagMs, voided };
    if (lagMs <= MOST_LAG_MS) return { ...run, figures: figuresOf(sent, { ...load, deadlineMs: setUp.deadlineMs }) };
    process.stderr.write(`${setUp.name} ${load.name}: void, send lag p99 ${lagMs.toFixed(2)} ms\n`);
  }
  return { setUp: setUp.name, load: load.name, repeat, lagP99Ms: lagMs, voided: MOST_TRIES };
}
