import { arima } from './arima.js';
import { boostedTrees } from './boostedTrees.js';
import { lagRegression } from './lagRegression.js';
import { lstm } from './lstm/member.js';
import type { LstmModel } from './lstm/model.js';
import type { ForecastMember, ModelName } from './members.js';
import { MODEL_NAMES } from './members.js';
import type { MstlEngine } from './mstl.js';
import { mstl } from './mstl.js';
import type { ProphetEngine } from './prophet.js';
import { prophet } from './prophet.js';
import { atResolution } from './resolution.js';
import { hasTwoNaives, seasonalNaive, shortNaive } from './seasonalNaive.js';

/** What lives outside core: libraries whose loading is I/O. */
export interface ForecastEngines {
  mstl: MstlEngine;
  prophet: ProphetEngine;
  /** The region's network; absent: none has been trained, and the member is not asked. */
  lstm?: LstmModel;
}

/** Members by name; without names all of them that differ on a history of `historySteps`. Seasons ascending, in steps. */
export function createMembers(
  engines: ForecastEngines,
  seasons: readonly number[],
  historySteps: number,
  names?: readonly ModelName[],
): ForecastMember[] {
  const members: Readonly<Record<ModelName, (lengths: readonly number[]) => ForecastMember>> = {
    arima,
    'boosted-trees': boostedTrees,
    'lag-regression': lagRegression,
    lstm: (lengths) => lstm(engines.lstm, lengths),
    mstl: (lengths) => mstl(engines.mstl, lengths),
    prophet: (lengths) => prophet(engines.prophet, lengths),
    'seasonal-naive': seasonalNaive,
    'short-naive': shortNaive,
  };
  // Two voices that say the same would count twice.
  const all = MODEL_NAMES.filter((name) => {
    if (name === 'short-naive') return hasTwoNaives(seasons, historySteps);
    return name !== 'lstm' || engines.lstm !== undefined;
  });
  return atResolution(seasons, (lengths) => (names ?? all).map((name) => members[name](lengths)));
}
