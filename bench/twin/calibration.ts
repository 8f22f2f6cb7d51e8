import { calibrateService } from '../../core/simulate/calibrate.js';
import type { CalibratedService, SeenLoad } from '../../core/simulate/calibrate.js';
import { timeOf } from '../../core/simulate/serviceTime.js';
import type { SetUp } from './setUps.js';

/** What a run of its own showed, without the runs that are compared. */
export interface Observed {
  /** By service. */
  seen: Readonly<Record<string, readonly SeenLoad[]>>;
  /** Of a request that nobody works on: proxies and the network, there and back. */
  overheadMs: number;
}

/** What the twin knows of a set-up's services. */
export interface Calibration {
  services: Readonly<Record<string, Pick<CalibratedService, 'time' | 'meanMs' | 'cv' | 'misfit'>>>;
  overheadMs: number;
}

const STATED_CV = { exponential: 1, lognormal: 0.5 };

export function calibrate(setUp: SetUp, { seen, overheadMs }: Observed): Calibration {
  const services = setUp.services.map(({ name, workers }) => {
    const context = { policy: 'LEAST_REQUEST', proxies: setUp.proxies, workers, overheadMs } as const;
    const found = calibrateService(seen[name] ?? [], context);
    if (found === undefined) throw new Error(`${name} was seen at too few loads`);
    return [name, found] as const;
  });
  return { services: Object.fromEntries(services), overheadMs };
}

/** The times as the set-up states them, for comparison. */
export function statedTimes(setUp: SetUp, overheadMs: number): Calibration {
  const services = setUp.services.map(({ name, meanMs, distribution }) => {
    const cv = STATED_CV[distribution];
    return [name, { time: timeOf(meanMs, cv), meanMs, cv, misfit: 0 }] as const;
  });
  return { services: Object.fromEntries(services), overheadMs };
}
