import { Run } from './engine/run.js';
import type { TwinRun } from './model.js';
import type { TwinResult } from './result.js';

/**
 * Simulates a run. The same run gives the same result, to the byte. Throws a RangeError where the model, its demand,
 * faults or a control's action name what the model has not.
 */
export function simulate(run: TwinRun): TwinResult {
  return new Run(run).finish();
}
