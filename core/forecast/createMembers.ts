import { arima } from './arima.js';
import { lagRegression } from './lagRegression.js';
import type { ForecastMember, ModelName } from './members.js';
import { MODEL_NAMES } from './members.js';
import type { MstlEngine } from './mstl.js';
import { mstl } from './mstl.js';
import type { ProphetEngine } from './prophet.js';
import { prophet } from './prophet.js';
import { hasTwoNaives, seasonalNaive, shortNaive } from './seasonalNaive.js';

/** What lives outside core: libraries whose loading is I/O. */
export interface ForecastEngines {
  mstl: MstlEngine;
  prophet: ProphetEngine;
}

/** Members by name; without names all of them that differ on a history of `historySteps`. Seasons ascending, in steps. */
export function createMembers(
  engines: ForecastEngines,
  seasons: readonly number[],
  historySteps: number,
  names?: readonly ModelName[],
): ForecastMember[] {
  const members: Readonly<Record<ModelName, () => ForecastMember>> = {
    arima: () => arima(seasons),
    'lag-regression': () => lagRegression(seasons),
    mstl: () => mstl(engines.mstl, seasons),
    prophet: () => prophet(engines.prophet, seasons),
    'seasonal-naive': () => seasonalNaive(seasons),
    'short-naive': () => shortNaive(seasons),
  };
  // Two voices that say the same would count twice.
  const all = MODEL_NAMES.filter((name) => name !== 'short-naive' || hasTwoNaives(seasons, historySteps));
  return (names ?? all).map((name) => members[name]());
}
