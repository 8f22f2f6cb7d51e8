import type { NetworkShape } from './parameters.js';

/** A regressor that a network was trained with, and how its values are brought to a common size. */
export interface LearnedRegressor {
  name: string;
  mean: number;
  deviation: number;
}

/** What a network is made for. Seasons rise, in steps. */
export interface NetworkTask {
  stepSeconds: number;
  seasons: readonly number[];
  /** Leads it was trained on; it can be asked for more. */
  horizonSteps: number;
  regressors: readonly LearnedRegressor[];
}

/** Most cells of a window: longer ones say little more and cost their length. */
const MOST_CELLS = 96;
/** The window: so many of the shortest season, and at least so many steps. */
const WINDOW_SEASONS = 2;
const LEAST_WINDOW_STEPS = 24;

/** Names of what the encoder reads for each cell, in order. */
export function cellInputs({ seasons, regressors }: NetworkTask): string[] {
  return [
    'value',
    'change-short',
    'change-long',
    ...clockInputs(seasons),
    ...regressors.flatMap(({ name }) => [name, `${name} change-long`]),
  ];
}

/** Names of what the decoder reads for each lead, in order. */
export function leadInputs({ seasons, regressors }: NetworkTask): string[] {
  return [
    'naive',
    'short-naive',
    'long-naive',
    'long-naive mean',
    'short-naive mean',
    'lead',
    'lead seasons',
    'noise',
    'naive contrast',
    ...clockInputs(seasons),
    ...regressors.flatMap(({ name }) => [name, `${name} change-short`, `${name} change-long`]),
  ];
}

function clockInputs(seasons: readonly number[]): string[] {
  return seasons.flatMap((season) => [`sin ${season}`, `cos ${season}`]);
}

export interface WindowPlan {
  cells: number;
  /** Steps that one cell is the mean of. */
  stride: number;
}

export function windowOf(seasons: readonly number[]): WindowPlan {
  const steps = Math.max(LEAST_WINDOW_STEPS, WINDOW_SEASONS * (seasons[0] ?? 1));
  const stride = Math.ceil(steps / MOST_CELLS);
  return { cells: Math.ceil(steps / stride), stride };
}

/** Outputs: the quantiles that the loss asks for. The middle one comes first: it is the forecast. */
export function shapeOf(task: NetworkTask, hidden: number, decoder: number, outputs: number): NetworkShape {
  return { inputs: cellInputs(task).length, known: leadInputs(task).length, hidden, decoder, outputs };
}
