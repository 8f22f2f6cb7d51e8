import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { initSync as initMstl, MSTL } from '@bsull/augurs/mstl';
import { initSync as initProphet, Prophet } from '@bsull/augurs/prophet';
import type { ProphetOptimizeOptions } from '@bsull/augurs/prophet';

import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { MemberForecast } from '../../core/forecast/members/members.js';
import type { MstlEngine } from '../../core/forecast/members/mstl.js';
import type { ProphetEngine, ProphetRequest } from '../../core/forecast/members/prophet.js';
import type { OrderedOptimizer, Stan } from './stanOptimizer.js';
import { orderedOptimizer } from './stanOptimizer.js';

/**
 * Loads MSTL and Prophet (augurs, compiled to WebAssembly), the latter with the optimiser that Stan's own code is. Takes
 * about a tenth of a second, and next to nothing again, unless Stan has trapped since: then it brings Prophet back.
 * Throws when the modules are not there.
 */
export async function loadForecastEngines(): Promise<ForecastEngines> {
  // The modules' own initialisers fetch a file: URL, which Node refuses.
  initProphet({ module: await readFile(path.join(packageDirectory(), 'prophet_bg.wasm')) });
  initMstl({ module: await readFile(path.join(packageDirectory(), 'mstl_bg.wasm')) });
  await sendChatterToStderr();
  return { prophet: createProphet(await soundStan()), mstl: createMstl() };
}

/** After a trap the module's memory is not to be trusted: calls were seen to hang. It then stays out of use. */
interface StanInstance {
  optimizer: OrderedOptimizer;
  trapped: string | null;
}

const STAN = '@bsull/augurs-prophet-wasmstan';
let stan: StanInstance | undefined;
let instances = 0;

async function soundStan(): Promise<StanInstance> {
  if (stan !== undefined && stan.trapped === null) return stan;
  const file = pathToFileURL(createRequire(import.meta.url).resolve(STAN)).href;
  // A module is evaluated once for each address: only another one gives another memory.
  const module = (await import(instances === 0 ? STAN : `${file}?instance=${instances}`)) as { optimizer: Stan };
  instances++;
  stan = { optimizer: orderedOptimizer(module.optimizer), trapped: null };
  return stan;
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

function createProphet(instance: StanInstance): ProphetEngine {
  return {
    fitPredict(request): MemberForecast {
      let reason = instance.trapped ?? 'not fitted';
      for (const attempt of instance.trapped === null ? ATTEMPTS : []) {
        try {
          return { ok: true, mean: fitOnce(request, { ...attempt, seed: request.seed }, instance.optimizer) };
        } catch (error) {
          reason = messageOf(error);
          if (reason.includes('RuntimeError')) {
            instance.trapped = `${reason} (out of use until it is loaded again)`;
            break;
          }
        }
      }
      return { ok: false, reason: `Prophet could not be fitted: ${reason}` };
    },
  };
}

/** The instance is the module's own: loading it again brings no other memory. */
let mstlTrapped: string | null = null;

function createMstl(): MstlEngine {
  return {
    fitPredict(values, seasons, horizonSteps): MemberForecast {
      if (mstlTrapped !== null) return { ok: false, reason: mstlTrapped };
      try {
        const model = MSTL.ets([...seasons]);
        try {
          model.fit([...values]);
          return { ok: true, mean: model.predict(horizonSteps).point.map((value) => Number(value.toPrecision(10))) };
        } finally {
          model.free();
        }
      } catch (error) {
        const reason = `MSTL could not be fitted: ${messageOf(error)}`;
        if (!(error instanceof Error && error.name === 'RuntimeError')) return { ok: false, reason };
        mstlTrapped = `${reason} (out of use until its thread ends)`;
        return { ok: false, reason: mstlTrapped };
      }
    },
  };
}

function fitOnce(request: ProphetRequest, options: ProphetOptimizeOptions, optimizer: OrderedOptimizer): number[] {
  const off = { type: 'manual', enabled: false } as const;
  const model = new Prophet({
    optimizer,
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
