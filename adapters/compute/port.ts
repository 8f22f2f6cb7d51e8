import type { DraftOutcome, ServiceJob } from '../../core/forecast/ensemble/draft.js';
import type { LstmModel } from '../../core/forecast/members/lstm/model.js';
import type { LstmTraining } from '../../core/forecast/members/lstm/training.js';
import type { ModelName } from '../../core/forecast/members/members.js';
import type { Result } from '../../core/spec/problem.js';

/** Where fits are computed: they keep a processor busy for tens of milliseconds to minutes. */
export interface ForecastCompute {
  /**
   * Outcomes in the order of `jobs`; the same numbers from every implementation. A job that brings its thread down
   * twice has outcome `none` with the reason. Rejects with the signal's reason once nothing is computed any more.
   */
  draft(request: DraftRequest, run?: ComputeRun): Promise<readonly DraftOutcome[]>;
  /**
   * Trains the network of a region, minutes of one thread: counts as one job. Refused as `trainLstm` refuses; a training
   * that brings its thread down twice is refused as `training-lost`. Rejects as `draft` does.
   */
  train(training: LstmTraining, run?: ComputeRun): Promise<Result<LstmModel>>;
  /** Ends all work; what is under way rejects. */
  close(): Promise<void>;
}

export interface DraftRequest {
  jobs: readonly ServiceJob[];
  /** Absent: all; weighted by what they do in the back-test. */
  models?: readonly ModelName[];
  /** The region's trained network; absent: the member that needs it cannot forecast. */
  lstm?: LstmModel;
}

export interface ComputeRun {
  /** Looked at between two fits. */
  signal?: AbortSignal;
  /**
   * Jobs done, jobs in all, and what is at work (`checkout: arima, origin 2 of 5`); at most four times a second, and
   * at the end with all done. `done` never falls.
   */
  progress?(done: number, total: number, word: string): void;
}
