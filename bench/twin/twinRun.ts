import type { LiveMesh } from '../../core/spec/live.js';
import { endedOf } from '../../core/simulate/compare.js';
import type { RetryOn, ServiceTime, TwinModel, TwinService } from '../../core/simulate/model.js';
import { simulate } from '../../core/simulate/simulate.js';
import { deriveSeed } from '../../testbed/random.js';
import type { Calibration } from './calibration.js';
import type { RatePoint } from './load.js';
import type { Figures } from './figures.js';
import type { SetUp } from './setUps.js';

/** The set-up in the twin, under the very settings that the Envoys run. */
export function modelOf(setUp: SetUp, live: LiveMesh, calibration: Calibration): TwinModel {
  const services = setUp.services.map((one, i): TwinService => {
    const settings = live.services.find(({ service }) => service === one.name)?.settings;
    const time: ServiceTime | undefined = calibration.services[one.name]?.time;
    if (settings === undefined || time === undefined) throw new Error(`nothing is known of ${one.name}`);
    const callee = setUp.services[i + 1]?.name;
    const retryOn: RetryOn[] = one.idempotent === true ? ['connect', 'failure'] : ['connect'];
    return {
      name: one.name,
      time,
      stages: callee === undefined ? [] : [[{ service: callee, callsPerRequest: 1 }]],
      errorShare: one.failRate ?? 0,
      places: {
        [live.region]: {
          instances: Array.from({ length: one.instances }, () => {
            return { zone: 'north-a', workers: one.workers, startupMs: 1000, proxy: 0 };
          }),
          settings,
          weights: { [live.region]: 100 },
          behindInbound: one.behindInbound === true,
          retryOn,
        },
      },
    };
  });
  return {
    regions: [{ name: live.region, proxies: setUp.proxies, networkMs: calibration.overheadMs / 2 }],
    network: [],
    services,
    entries: [{ name: 'users', service: setUp.services[0]?.name ?? '', deadlineMs: setUp.deadlineMs, value: 1 }],
  };
}

export interface TwinOptions {
  points: readonly RatePoint[];
  durationMs: number;
  /** What came before is not counted. */
  warmUpMs: number;
  seed: number;
}

export function twinFigures(model: TwinModel, { points, durationMs, warmUpMs, seed }: TwinOptions): Figures {
  const { totals } = simulate({
    model,
    demand: { entries: [{ entry: 'users', shape: 'step', points }] },
    durationMs,
    warmUpMs,
    seed: deriveSeed(seed, 'twin'),
  });
  const [users] = totals.entries;
  if (users === undefined) throw new Error('no users');
  const { succeeded, offered, withinDeadline, latency } = users;
  const ended = endedOf(users);
  const seconds = (durationMs - warmUpMs) / 1000;
  return {
    offeredRps: offered / seconds,
    p50Ms: latency.p50Ms ?? NaN,
    p99Ms: latency.p99Ms ?? NaN,
    goodputRps: withinDeadline / seconds,
    errorPercent: (100 * (ended - succeeded)) / Math.max(1, ended),
  };
}
