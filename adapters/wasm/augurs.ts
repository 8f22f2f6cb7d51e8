import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { initSync, Prophet } from '@bsull/augurs/prophet';
import type { ProphetOptimizeOptions } from '@bsull/augurs/prophet';

import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { MemberForecast } from '../../core/forecast/members.js';
import type { ProphetEngine, ProphetRequest } from '../../core/forecast/prophet.js';
import { orderedOptimizer } from './stanOptimizer.js';

/**
 * Loads Prophet (augurs, compiled to WebAssembly) with the optimiser that Stan's own code is. Takes about a tenth of
 * a second; loading again is harmless. Throws when the modules are not there.
 */
export async function loadForecastEngines(): Promise<ForecastEngines> {
  // The module's own initialiser fetches a file: URL, which Node refuses.
  const module = await readFile(path.join(packageDirectory(), 'prophet_bg.wasm'));
  initSync({ module });
  await sendChatterToStderr();
  return { prophet: createProphet() };
}

interface WasiStreams {
  _setStdout(stream: unknown): void;
  stderr: { getStderr(): unknown };
}

/** Stan writes to standard output what it complains of; ours belongs to results. Not in the shim's types. */
async function sendChatterToStderr(): Promise<void> {
  const require = createRequire(createRequire(import.meta.url).resolve('@bsull/augurs-prophet-wasmstan'));
  const shim = pathToFileURL(require.resolve('@bytecodealliance/preview2-shim/cli')).href;
  const { _setStdout, stderr } = (await import(shim)) as WasiStreams;
  _setStdout(stderr.getStderr());
}

function packageDirectory(): string {
  return path.dirname(createRequire(import.meta.url).resolve('@bsull/augurs'));
}

/**
 * L-BFGS now and then gives up in its line search; the full BFGS then gets through. (Newton, which Prophet takes in
 * Python, ends this build of Stan in a trap.)
 */
const ATTEMPTS: readonly ProphetOptimizeOptions[] = [{ algorithm: 'lbfgs' }, { algorithm: 'bfgs' }];

/** After a trap the module's memory is not to be trusted: calls were seen to hang. It then stays out of use. */
function createProphet(): ProphetEngine {
  let trapped: string | null = null;
  return {
    fitPredict(request): MemberForecast {
      let reason = trapped ?? 'not fitted';
      for (const attempt of trapped === null ? ATTEMPTS : []) {
        try {
          return { ok: true, mean: fitOnce(request, { ...attempt, seed: request.seed }) };
        } catch (error) {
          reason = messageOf(error);
          if (reason.includes('RuntimeError')) {
            trapped = `${reason} (out of use until the process restarts)`;
            break;
          }
        }
      }
      return { ok: false, reason: `Prophet could not be fitted: ${reason}` };
    },
  };
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
    const predicted = model.predict({ ds: [...request.futureSeconds], ...knownAhead(request, 'future') });
    // Terms are summed in the order of that hash map too, which moves the last digits.
    return predicted.yhat.point.map((value) => Number(value.toPrecision(10)));
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

/** The optimiser's own words without the stack that the layers between wrap around them. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const words = message.replace(/^.*JsValue\((?:Error: )?/s, '').split(/\n\s*(?:at |Error: )/, 1)[0] ?? '';
  return words.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
