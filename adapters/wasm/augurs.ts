import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { initSync, Prophet } from '@bsull/augurs/prophet';
import type { ProphetOptimizeOptions } from '@bsull/augurs/prophet';

import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { MemberForecast } from '../../core/forecast/members.js';
import type { ProphetRequest } from '../../core/forecast/prophet.js';
import { orderedOptimizer } from './stanOptimizer.js';

/**
 * Loads Prophet (augurs, compiled to WebAssembly) with the optimiser that Stan's own code is. Takes about a tenth of
 * a second; loading again is harmless. Throws when the modules are not there.
 */
export async function loadForecastEngines(): Promise<ForecastEngines> {
  // The module's own initialiser fetches a file: URL, which Node refuses.
  const module = await readFile(path.join(packageDirectory(), 'prophet_bg.wasm'));
  initSync({ module });
  return { prophet: { fitPredict } };
}

function packageDirectory(): string {
  return path.dirname(createRequire(import.meta.url).resolve('@bsull/augurs'));
}

/** L-BFGS is quick, and now and then gives up in its line search; Newton then finishes, as Prophet itself does it. */
const ATTEMPTS: readonly ProphetOptimizeOptions[] = [{ algorithm: 'lbfgs' }];

function fitPredict(request: ProphetRequest): MemberForecast {
  let reason = 'not fitted';
  for (const attempt of ATTEMPTS) {
    try {
      return { ok: true, mean: fitOnce(request, { ...attempt, seed: request.seed }) };
    } catch (error) {
      reason = firstLine(error);
    }
  }
  return { ok: false, reason: `Prophet could not be fitted: ${reason}` };
}

function fitOnce(request: ProphetRequest, options: ProphetOptimizeOptions): number[] {
  const off = { type: 'manual', enabled: false } as const;
  const model = new Prophet({
    optimizer: orderedOptimizer,
    // Quantiles come from the back-test: sampling them here would only cost time.
    uncertaintySamples: 0,
    nChangepoints: request.changepoints,
    changepointPriorScale: request.changepointPriorScale,
    yearlySeasonality: off,
    weeklySeasonality: off,
    dailySeasonality: off,
  });
  try {
    for (const { name, periodDays, fourierOrder, condition } of request.seasonalities) {
      const conditionName = condition === undefined ? {} : { conditionName: condition.name };
      model.addSeasonality(name, { period: periodDays, fourierOrder, ...conditionName });
    }
    for (const { name, priorScale } of request.regressors) {
      model.addRegressor(name, { priorScale, standardize: 'no', mode: 'additive' });
    }
    model.fit({ ds: [...request.trainSeconds], y: [...request.train], ...knownAhead(request, 'train') }, options);
    return model.predict({ ds: [...request.futureSeconds], ...knownAhead(request, 'future') }).yhat.point;
  } finally {
    model.free();
  }
}

function knownAhead(
  { seasonalities, regressors }: ProphetRequest,
  part: 'train' | 'future',
): { seasonalityConditions?: Map<string, boolean[]>; x?: Map<string, number[]> } {
  const conditions = seasonalities.flatMap(({ condition }) => (condition === undefined ? [] : [condition]));
  return {
    ...(conditions.length === 0
      ? {}
      : { seasonalityConditions: new Map(conditions.map((condition) => [condition.name, [...condition[part]]])) }),
    ...(regressors.length === 0
      ? {}
      : { x: new Map(regressors.map((regressor) => [regressor.name, [...regressor[part]]])) }),
  };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}
