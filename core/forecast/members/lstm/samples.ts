import type { Frame, ServiceView } from './frame.js';
import { frameAt, inputsAt, leastHistory } from './frame.js';
import type { NetworkTask } from './inputs.js';
import type { NetworkInput } from './network.js';
import { standardised } from './regressors.js';
import type { LstmService } from './training.js';

/** Leads of a sample: more of them would tell little that their neighbours do not. */
const MOST_LEADS = 24;
/** Farthest that a target goes from zero, in units of the naive error: beyond it lies what nobody can learn. */
const MOST_TARGET = 20;
const VALIDATION_SAMPLES = 400;
const VALIDATION_ORIGINS = 4;

export interface Sample {
  frame: Frame;
  /** From 1. */
  leads: readonly number[];
  /** By lead, in scaled values: what the answers correct. */
  bases: Float64Array;
  input: NetworkInput;
  /** By lead, in units of the naive's error. */
  targets: Float64Array;
}

/** Where samples of one service may start: origins `first`, …, `last`; their targets end before index `end`. */
export interface SampleRange {
  view: ServiceView;
  first: number;
  last: number;
  end: number;
}

export function viewOf({ history, regressors }: Omit<LstmService, 'service'>, task: NetworkTask): ServiceView {
  const { startMs, values } = history;
  const given = regressors.map(({ name, train, future }) => ({ name, values: [...train, ...future] }));
  return { startMs, values: Float64Array.from(values), known: standardised(task.regressors, given) };
}

/** `null`: too little for a single sample whose targets lie in `from`, …, `end − 1`. */
export function rangeOf(view: ServiceView, task: NetworkTask, from: number, end: number): SampleRange | null {
  const short = task.seasons[0] ?? 1;
  const longest = task.seasons.at(-1) ?? short;
  // Seen without their long season, services would look other than they do when they are forecast.
  const full = longest + short;
  const last = end - Math.min(task.horizonSteps, short);
  const first = Math.max(from, full <= last ? full : leastHistory(task.seasons));
  return first <= last ? { view, first, last, end } : null;
}

export function drawSample(ranges: readonly SampleRange[], task: NetworkTask, random: () => number): Sample {
  const range = ranges[Math.floor(random() * ranges.length)];
  if (range === undefined) throw new Error('nothing to draw samples from');
  const origin = range.first + Math.floor(random() * (range.last - range.first + 1));
  return sampleAt(range.view, origin, leadsWithin(Math.min(task.horizonSteps, range.end - origin), random), task);
}

/** The same samples whenever they are asked for: origins spread evenly over each range. */
export function* validationSamples(ranges: readonly SampleRange[], task: NetworkTask): Generator<Sample> {
  const every = Math.max(1, (ranges.length * VALIDATION_ORIGINS) / VALIDATION_SAMPLES);
  for (let place = 0; place < ranges.length; place += every) {
    const range = ranges[Math.floor(place)];
    if (range === undefined) return;
    const origins = Math.min(VALIDATION_ORIGINS, range.last - range.first + 1);
    for (let index = 0; index < origins; index++) {
      const origin = range.last - Math.floor((index * (range.last - range.first)) / Math.max(1, origins - 1));
      const leads = leadsWithin(Math.min(task.horizonSteps, range.end - origin), () => 0.5);
      yield sampleAt(range.view, origin, leads, task);
    }
  }
}

/** One lead from each of equal parts of the horizon. */
function leadsWithin(horizonSteps: number, random: () => number): number[] {
  const count = Math.min(MOST_LEADS, horizonSteps);
  return Array.from({ length: count }, (_, index) => 1 + Math.floor(((index + random()) * horizonSteps) / count));
}

function sampleAt(view: ServiceView, origin: number, leads: readonly number[], task: NetworkTask): Sample {
  const frame = frameAt(view, origin, task);
  const { input, bases } = inputsAt(frame, leads);
  const targets = Float64Array.from(leads, (lead, index) => {
    const target = (frame.scale.to(view.values[origin + lead - 1] ?? 0) - (bases[index] ?? 0)) / frame.unit;
    return Math.min(MOST_TARGET, Math.max(-MOST_TARGET, target));
  });
  return { frame, leads, bases, input, targets };
}
