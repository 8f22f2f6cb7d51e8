import type { ForecastMember, MemberForecast, Regressor } from '../members.js';
import type { Series } from '../../series.js';
import { endMs } from '../../series.js';
import { demandAt, frameAt, inputsAt, leastHistory } from './frame.js';
import type { LstmModel } from './model.js';
import { decodeWeights, modelShape, weightsBefore } from './model.js';
import { infer } from './network.js';
import { partsOf } from './parameters.js';
import { viewOf } from './samples.js';

/** Long seasons of history that it makes use of. */
const HISTORY_SEASONS = 6;

/**
 * One network over all services of a region, trained beforehand (`trainLstm`): here it is only asked. A back-test gets
 * the weights that had not seen what it asks for; without any such weights there is no forecast.
 */
export function lstm(model: LstmModel | undefined, seasons: readonly number[]): ForecastMember {
  return {
    name: 'lstm',
    historySteps: HISTORY_SEASONS * (seasons.at(-1) ?? 1),
    forecast(train, horizonSteps, regressors) {
      if (model === undefined) return { ok: false, reason: 'no network has been trained yet' };
      if (model.seasons.join() !== seasons.join())
        return { ok: false, reason: 'the network was trained for other seasons' };
      if (model.stepSeconds * 1000 !== train.stepMs)
        return { ok: false, reason: 'the network was trained for another step' };
      if (train.values.length < leastHistory(seasons))
        return { ok: false, reason: 'the history is shorter than two seasons' };
      const weights = weightsBefore(model, endMs(train));
      if (weights === null) return { ok: false, reason: 'the network was trained on what is to be forecast' };
      return ask(model, decodeWeights(weights.weights), train, horizonSteps, regressors);
    },
  };
}

function ask(
  model: LstmModel,
  weights: Float64Array,
  history: Series,
  horizonSteps: number,
  regressors: readonly Regressor[],
): MemberForecast {
  const shape = modelShape(model);
  const view = viewOf({ history, regressors }, model);
  const frame = frameAt(view, history.values.length, model);
  const leads = Array.from({ length: horizonSteps }, (_, step) => step + 1);
  const { input, bases } = inputsAt(frame, leads);
  const corrections = infer(partsOf(weights, shape), shape, input);
  const mean = Array.from(bases, (base, step) => demandAt(frame, base, corrections[step * shape.outputs] ?? 0));
  return { ok: true, mean };
}
