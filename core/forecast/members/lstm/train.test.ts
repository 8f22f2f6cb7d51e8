import { describe, expect, it } from '@jest/globals';

import type { Regressor } from '../members.js';
import { planOrigins } from '../../ensemble/origins.js';
import { createRandom, normal } from '../../random.js';
import { atResolution } from '../resolution.js';
import { seasonalNaive } from '../seasonalNaive.js';
import type { Series } from '../../series.js';
import { endMs, mean, sliceSeries } from '../../series.js';
import type { LstmProgress } from './fit.js';
import { lstm } from './member.js';
import type { LstmModel } from './model.js';
import { parseLstmModel } from './model.js';
import { trainLstm } from './train.js';
import type { LstmService, LstmTraining } from './training.js';
import { before, heldBackFor } from './training.js';

const STEP_MS = 3_600_000;
const SEASONS = [12, 36];
const STEPS = 300;
const HORIZON = 12;
const HELD_BACK = 60;

const HONEST_UNTIL_MS = Date.UTC(2024, 0, 1) + (STEPS - HELD_BACK) * STEP_MS;

/** A daily and a weekly shape, noise, and demand that falls by half in rain: a naive forecast cannot know that. */
function service(name: string, seed: number, size: number): LstmService {
  const random = createRandom(seed);
  let wet = 0;
  const rain = Array.from({ length: STEPS }, () => (wet = random() < 0.15 ? 1 - wet : wet));
  const values = rain.map((wetness, step) => {
    const shape = 3 + Math.sin((2 * Math.PI * step) / 12) + (step % 36 < 12 ? 1 : 0);
    return size * shape * (1 - wetness / 2) * Math.exp(0.05 * normal(random));
  });
  const history = { startMs: Date.UTC(2024, 0, 1), stepMs: STEP_MS, values };
  return { service: name, history, regressors: [{ name: 'rain', train: rain, future: [] }] };
}

const TRAINING: LstmTraining = {
  series: [service('cart', 1, 10), service('checkout', 2, 400), service('search', 3, 3)],
  seasons: SEASONS,
  horizonSteps: HORIZON,
  heldBackSteps: HELD_BACK,
  seed: 1,
  limits: { epochs: 5, samplesPerEpoch: 256, hidden: 8, decoder: 8 },
};

function train(change: Partial<LstmTraining> = {}): { model: LstmModel; progress: LstmProgress[] } {
  const steps = trainLstm({ ...TRAINING, ...change });
  const progress: LstmProgress[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done !== true) progress.push(step.value);
    else if (step.value.ok) return { model: step.value.value, progress };
    else throw new Error(JSON.stringify(step.value.problems));
  }
}

/** For what does not depend on how well it learned. */
const SMALL = { epochs: 1, samplesPerEpoch: 32, hidden: 8, decoder: 8 };
const TRAINED = train();

/** A forecast from index `origin`, with the rain as it came. */
function ask(model: LstmModel | undefined, { history, regressors }: LstmService, origin: number): readonly number[] {
  const known = regressors.map((one): Regressor => {
    return { ...one, train: one.train.slice(0, origin), future: one.train.slice(origin, origin + HORIZON) };
  });
  const answer = lstm(model, SEASONS).forecast(sliceSeries(history, origin), HORIZON, known, 1);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.mean;
}

/** The same before index `from`, and something else from there on. */
function changedFrom(one: LstmService, from: number): LstmService {
  const change = (values: readonly number[]): number[] =>
    values.map((value, at) => (at < from ? value : 2 * value + 1));
  return {
    ...one,
    history: { ...one.history, values: change(one.history.values) },
    regressors: one.regressors.map((regressor) => ({ ...regressor, train: change(regressor.train) })),
  };
}

function codes(change: Partial<LstmTraining>): string[] {
  const step = trainLstm({ ...TRAINING, ...change }).next();
  if (step.done !== true || step.value.ok) return [];
  return step.value.problems.map(({ code, field }) => `${code} ${field}`);
}

describe('trainLstm', () => {
  it('gives the same network for the same seed, and another one for another', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => train({ seed, limits: SMALL }).model);
    expect(again).toEqual(first);
    expect(other?.honest.weights).not.toBe(first?.honest.weights);
  });

  it('learns what a seasonal naive cannot know', () => {
    const errors = (predict: (one: LstmService, origin: number) => readonly number[]): number =>
      mean(
        TRAINING.series.flatMap((one) =>
          [240, 252, 264, 276, 288].map((origin) => {
            const came = one.history.values.slice(origin, origin + HORIZON);
            const predicted = predict(one, origin);
            return mean(came.map((value, step) => Math.abs(value - (predicted[step] ?? 0)))) / mean(came);
          }),
        ),
      );
    const honest = errors((one, origin) => ask(TRAINED.model, one, origin));
    const naive = errors(({ history }, origin) => {
      const answer = seasonalNaive(SEASONS).forecast(sliceSeries(history, origin), HORIZON, [], 1);
      return answer.ok ? answer.mean : [];
    });
    expect(honest).toBeLessThan(0.5 * naive);
  });

  it('never shows the honest weights what is held back: changing it changes nothing', () => {
    const series = TRAINING.series.map((one) => changedFrom(one, STEPS - HELD_BACK));
    const { model } = train({ series });
    expect(model.honest).toEqual(TRAINED.model.honest);
    expect(model.validationMase).toBe(TRAINED.model.validationMase);
    expect(model.current.weights).not.toBe(TRAINED.model.current.weights);
    expect(model.trainedOn).not.toBe(TRAINED.model.trainedOn);
  });

  it('tells how far it is, and can be stopped in the middle', () => {
    const { progress } = TRAINED;
    expect(new Set(progress.map(({ stage }) => stage))).toEqual(new Set(['prepare', 'honest', 'current']));
    expect(progress.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(progress.filter(({ stage }) => stage === 'honest').length).toBeGreaterThan(40);
    const losses = progress.flatMap(({ validationLoss }) => (validationLoss === null ? [] : [validationLoss]));
    expect(Math.min(...losses)).toBeLessThan(0.7 * (losses[0] ?? 0));
    const stopped = trainLstm(TRAINING);
    for (let count = 0; count < 20; count++) stopped.next();
    stopped.return({ ok: false, problems: [] });
    expect(stopped.next().done).toBe(true);
  });

  it('goes on from an earlier network with fewer samples', () => {
    const warm = train({ series: TRAINING.series.map((one) => before(one, HONEST_UNTIL_MS)) }).model;
    const again = train({ warm });
    const heard = (progress: readonly LstmProgress[]): number =>
      Math.max(...progress.filter(({ stage }) => stage === 'honest').map(({ samples }) => samples));
    expect(heard(again.progress)).toBeLessThan(heard(TRAINED.progress));
    expect(again.model.validationMase).toBeLessThan(1.5 * TRAINED.model.validationMase);
  });

  it('does not go on from weights that saw what is held back, nor from a network of another make', () => {
    const limits = SMALL;
    const cold = train({ limits }).model;
    const { honest, current } = TRAINED.model;
    const warmed = train({ limits, warm: TRAINED.model }).model;
    const changed = { ...TRAINED.model, current: { ...current, weights: cold.current.weights } };
    expect(warmed.honest).not.toEqual(cold.honest);
    expect(train({ limits, warm: changed }).model).toEqual(warmed);
    expect(
      train({ limits, warm: { ...TRAINED.model, honest: { ...honest, untilMs: current.untilMs } } }).model,
    ).toEqual(cold);
    expect(train({ limits, warm: { ...TRAINED.model, stepSeconds: 60 } }).model).toEqual(cold);
  });

  it('refuses unsound input with everything wrong about it, and too little history', () => {
    const [first] = TRAINING.series;
    if (first === undefined) throw new Error('no service');
    const bad: LstmService = {
      ...first,
      history: { ...first.history, stepMs: 60_000, values: [1, Number.NaN, -1] },
      regressors: [{ name: 'rain', train: [1], future: [] }],
    };
    expect(codes({ series: [first, bad], seasons: [12, 12], horizonSteps: 0, heldBackSteps: -1 })).toEqual([
      'lstm-training seasons',
      'lstm-training horizonSteps',
      'lstm-training heldBackSteps',
      'lstm-training series[1].history.stepMs',
      'lstm-training series[1].history.values',
      'lstm-training series[1].regressors.rain',
    ]);
    expect(codes({ series: [] })).toEqual(['lstm-training series']);
    expect(() => train({ heldBackSteps: STEPS - 20 })).toThrow('lstm-history');
  });
});

describe('heldBackFor', () => {
  it('reaches back to the first origin of any back-test', () => {
    const histories = TRAINING.series.map(({ history }) => history);
    const [long] = histories;
    if (long === undefined) throw new Error('no service');
    const origins = planOrigins(STEPS, HORIZON, SEASONS)?.origins ?? [];
    expect(heldBackFor(histories, HORIZON, SEASONS)).toBe(STEPS - (origins[0] ?? 0));
    // One that ended a day earlier was back-tested a day earlier, and one of ten steps not at all.
    const others = [sliceSeries(long, STEPS - 12), sliceSeries(long, STEPS, 10)];
    expect(heldBackFor([long, ...others], HORIZON, SEASONS)).toBe(STEPS - (origins[0] ?? 0) + 12);
    expect(heldBackFor(others.slice(1), HORIZON, SEASONS)).toBe(0);
  });
});

describe('lstm', () => {
  const [cart] = TRAINING.series;
  if (cart === undefined) throw new Error('no service');

  it('has no forecast without a network, or with one for something else', () => {
    const say = (model: LstmModel | undefined, history: Series, seasons = SEASONS): string => {
      const answer = lstm(model, seasons).forecast(history, HORIZON, [], 1);
      return answer.ok ? 'a forecast' : answer.reason;
    };
    const { model } = TRAINED;
    expect(say(undefined, cart.history)).toBe('no network has been trained yet');
    expect(say(model, cart.history, [12])).toBe('the network was trained for other seasons');
    expect(say(model, { ...cart.history, stepMs: 60_000 })).toBe('the network was trained for another step');
    expect(say(model, sliceSeries(cart.history, STEPS, 20))).toBe('the history is shorter than two seasons');
    expect(say(model, cart.history)).toBe('a forecast');
  });

  it('uses the latest weights that have not seen what is asked, and none where all have', () => {
    const { model } = TRAINED;
    const swapped = { ...model, current: { ...model.current, weights: model.honest.weights } };
    expect(model.current.untilMs).toBe(endMs(cart.history));
    expect(model.honest.untilMs).toBe(HONEST_UNTIL_MS);
    expect(ask(swapped, cart, STEPS)).not.toEqual(ask(model, cart, STEPS));
    for (const origin of [STEPS - HELD_BACK, STEPS - 1]) {
      expect(ask(swapped, cart, origin)).toEqual(ask(model, cart, origin));
    }
    expect(() => ask(model, cart, STEPS - HELD_BACK - 1)).toThrow('the network was trained on what is to be forecast');
  });

  it('does not look ahead: what comes behind the origin changes no forecast', () => {
    const origin = STEPS - HELD_BACK;
    const other = { ...changedFrom(cart, origin), regressors: cart.regressors };
    expect(ask(TRAINED.model, other, origin)).toEqual(ask(TRAINED.model, cart, origin));
  });

  it('scales with its service', () => {
    const plain = ask(TRAINED.model, cart, STEPS - 12);
    for (const factor of [1e-3, 7, 1e5]) {
      const history = { ...cart.history, values: cart.history.values.map((value) => factor * value) };
      for (const [step, value] of ask(TRAINED.model, { ...cart, history }, STEPS - 12).entries()) {
        expect(value / (factor * (plain[step] ?? 0))).toBeCloseTo(1, 9);
      }
    }
  });

  it('forecasts sanely beyond its horizon, of a service it never saw, and of flat, silent or torn ones', () => {
    const member = lstm(TRAINED.model, SEASONS);
    const far = member.forecast(cart.history, 10 * HORIZON, [], 1);
    expect(far.ok && far.mean.length).toBe(10 * HORIZON);
    const random = createRandom(9);
    const odd: Readonly<Record<string, (step: number) => number>> = {
      cart: (step) => cart.history.values[step] ?? 0,
      flat: () => 5,
      silent: () => 0,
      'silent at last': (step) => (step < STEPS - 40 ? 5 : 0),
      'up at last': (step) => (step < STEPS - 3 ? 1 : 1000),
      noise: () => 1000 * random() ** 8,
    };
    for (const [name, valueAt] of Object.entries(odd)) {
      const values = Array.from({ length: STEPS }, (_, step) => valueAt(step));
      const answer = member.forecast({ ...cart.history, values }, 10 * HORIZON, [], 1);
      const most = Math.max(...values);
      if (!answer.ok) throw new Error(`${name}: ${answer.reason}`);
      expect(answer.mean.filter((value) => !(value >= 0 && value <= 4 * most + 1e-3))).toEqual([]);
    }
  });

  it('is trained on coarse steps where members are asked in them, wherever these begin', () => {
    const seasons = [60, 180];
    const series = TRAINING.series.map(({ service: name, history }): LstmService => {
      const values = Array.from({ length: 5 * STEPS - 1 }, (_, step) => history.values[Math.floor(step / 5)] ?? 0);
      return { service: name, history: { ...history, stepMs: STEP_MS / 5, values }, regressors: [] };
    });
    const change = { series, seasons, horizonSteps: 60, heldBackSteps: 301, limits: SMALL };
    const { model } = train(change);
    const [first] = series;
    if (first === undefined) throw new Error('no service');
    const [member] = atResolution(seasons, (lengths) => [lstm(model, lengths)]);
    const ahead = (end: number): boolean | undefined => member?.forecast(sliceSeries(first.history, end), 60, [], 1).ok;
    const end = first.history.values.length;
    expect(model.current.untilMs).toBe(endMs(first.history));
    expect(model.seasons).toEqual([30, 90]);
    // 301 fine steps are 151 coarse ones: the honest weights may see a step less, never one more.
    expect([end, end - 301, end - 303].map(ahead)).toEqual([true, true, false]);
  });

  it('forecasts the same when it was stored in between', () => {
    const parsed = parseLstmModel(JSON.parse(JSON.stringify(TRAINED.model)));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.value).toEqual(TRAINED.model);
    expect(ask(parsed.value, cart, STEPS)).toEqual(ask(TRAINED.model, cart, STEPS));
  });
});
