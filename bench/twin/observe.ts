import http from 'node:http';

import type { SeenLoad } from '../../core/simulate/calibrate.js';
import { deriveSeed } from '../../testbed/random.js';
import type { Observed } from './calibration.js';
import { median, quantile } from '../statistics.js';
import { MOST_LAG_MS, lagP99Ms } from './figures.js';
import { ask, sendLoad } from './load.js';
import type { Sent } from './load.js';
import { MOST_TRIES } from './measure.js';
import { startRealMesh } from './realMesh.js';
import type { RealMesh } from './realMesh.js';
import { UNLIMITED } from './setUps.js';
import type { SetUp } from './setUps.js';

const CALIBRATED_AT = [0.35, 0.5, 0.65, 0.8];
const CALIBRATION_SEED = 7919;
const HEALTH_ASKED = 200;

/** Each service alone and without limits, at four loads. */
export async function observe(setUp: SetUp, seconds: number): Promise<Observed> {
  const mesh = await startRealMesh(setUp, { seed: CALIBRATION_SEED, alone: UNLIMITED });
  try {
    await mesh.restart();
    const overheadMs = await overheadOf(mesh);
    const seen = new Map<string, SeenLoad[]>(setUp.services.map(({ name }) => [name, []]));
    for (const times of CALIBRATED_AT) {
      for (const [service, load] of await seeAlone(mesh, setUp, times * setUp.capacityRps, seconds * 1000)) {
        seen.get(service)?.push(load);
      }
    }
    return { seen: Object.fromEntries(seen), overheadMs };
  } finally {
    await mesh.stop();
  }
}

/** Median of requests that an instance answers without work: the way there and back. */
async function overheadOf(mesh: RealMesh): Promise<number> {
  const agent = new http.Agent({ keepAlive: true });
  const [ingress] = mesh.ingress;
  if (ingress === undefined) throw new Error('no proxy');
  const times: number[] = [];
  for (let i = 0; i < 2 * HEALTH_ASKED; i++) {
    const since = performance.now();
    await ask(agent, ingress, undefined, '/healthz');
    if (i >= HEALTH_ASKED) times.push(performance.now() - since);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  agent.destroy();
  return median(times);
}

/** All services at the same time, each asked by name as others would. */
async function seeAlone(mesh: RealMesh, setUp: SetUp, rps: number, durationMs: number): Promise<[string, SeenLoad][]> {
  for (let tries = 0; ; tries++) {
    await mesh.utilisation();
    const all = await Promise.all(
      setUp.services.map(({ name }) => {
        const seed = deriveSeed(CALIBRATION_SEED + tries, `${setUp.name} ${name} ${rps}`);
        return sendLoad({ targets: mesh.mesh, points: [{ atMs: 0, rps }], durationMs, seed, host: name });
      }),
    );
    const utilisation = await mesh.utilisation();
    const lagMs = lagP99Ms(all.flat());
    if (lagMs > MOST_LAG_MS && tries < MOST_TRIES) {
      process.stderr.write(`calibration at ${rps} a second: void, send lag p99 ${lagMs.toFixed(2)} ms\n`);
      continue;
    }
    return setUp.services.map(({ name, instances }, i) => {
      return [name, seenLoad(all[i] ?? [], { instances, durationMs, utilisation: utilisation[name] ?? 0 })];
    });
  }
}

function seenLoad(
  sent: readonly Sent[],
  { instances, durationMs, utilisation }: { instances: number; durationMs: number; utilisation: number },
): SeenLoad {
  const latencies = sent.filter(({ status }) => status === 200).map(({ latencyMs }) => latencyMs);
  return {
    instances,
    rps: (1000 * sent.length) / durationMs,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    utilisation,
  };
}
