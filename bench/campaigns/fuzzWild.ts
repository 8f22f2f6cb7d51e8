import type { ForecastEngines } from '../../core/forecast/forecast.js';
import type { ForecastInput } from '../../core/forecast/prepareRegion.js';
import type { MemberForecast, ModelName } from '../../core/forecast/members/members.js';
import type { DemandSample } from '../../core/spec/csvDemand.js';
import type { RegressorSample } from '../../core/spec/csvRegressors.js';
import type { EventSpec } from '../../core/spec/region.js';
import type { Chance } from './fuzzChance.js';

const START_MS = Date.UTC(2026, 2, 27);
const LENGTHS = [1, 2, 5, 30, 60, 90, 130] as const;
const ODD_NUMBERS = [
  0,
  -1,
  -0,
  0.5,
  1e9,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  8.64e15,
] as const;

/** A question that may be wild in its demand, its rows and its events, but whose options are sound. */
export function wildQuestion(chance: Chance): ForecastInput {
  const stepSeconds = chance.of([3600, 3600, 300, 60, 86_400, 604_800]);
  const seasons = chance.of([[6, 12], [4, 28], [7], [2], [3, 5], [24, 168], [12], [6, 42]]);
  const services = chance.of([['shop'], ['shop'], ['shop', 'pay'], ['shop', '__proto__', '']]);
  const length = chance.is(0.9) ? chance.of(LENGTHS) : undefined;
  const rows = services.flatMap((service) => dirty(chance, wildDemand(chance, length), service, stepSeconds * 1000));
  const models: ModelName[] = [
    'seasonal-naive',
    ...chance.some<ModelName>(['short-naive', 'lag-regression', 'mstl', 'prophet'], 0.4),
  ];
  if (chance.is(0.1)) models.push('arima');
  const endMs = START_MS + 60 * stepSeconds * 1000;
  return {
    rows,
    stepSeconds,
    horizonSteps: 1 + chance.whole(chance.is(0.05) ? 400 : 30),
    seasons,
    events: wildEvents(chance, stepSeconds * 1000),
    regionName: chance.of(['eu-west', '', '__proto__']),
    models,
    seed: chance.of([1, 0, -7, 2 ** 31]),
    ...beside(chance, stepSeconds * 1000),
    ...(chance.is(0.05) ? { services: chance.of([['shop'], ['shop', 'gone'], []]) } : {}),
    ...(chance.is(0.1)
      ? { at: chance.of([endMs, START_MS, START_MS - 1, Number.POSITIVE_INFINITY, 8.64e15, -8.64e15]) }
      : {}),
  };
}

/** What may stand beside a question: a zone, values known ahead, another region, calls between services. */
function beside(chance: Chance, stepMs: number): Partial<ForecastInput> {
  const known = chance.of([40, 170, 600, 600]);
  const odd = chance.is(0.1) ? 0.02 : 0;
  const regressors = Array.from({ length: known }, (_, step): RegressorSample => ({
    at: START_MS + step * stepMs,
    name: chance.is(0.5) ? 'temp' : 'rain',
    value: chance.is(odd) ? chance.of(ODD_NUMBERS) : Math.sin(step / 9),
  }));
  const rates = [0, 1, 0.5, 3, ...(chance.is(0.2) ? ODD_NUMBERS : [])] as const;
  const rateOf = (): ReadonlyMap<string, number> => new Map([['shop', chance.of(rates)]]);
  const calls = { byService: new Map(['shop', 'pay'].map((name) => [name, rateOf()])), entries: ['shop'] };
  const rows = dirty(chance, wildDemand(chance), 'shop', stepMs);
  return {
    ...(chance.is(0.3)
      ? { timeZone: chance.is(0.1) ? 'Nowhere/Here' : chance.of(['Europe/Berlin', 'America/New_York', 'UTC']) }
      : {}),
    ...(chance.is(0.2) ? { regressors } : {}),
    ...(chance.is(0.2) ? { borrow: { rows, ...(chance.is(0.5) ? { scale: chance.of(rates) } : {}) } } : {}),
    ...(chance.is(0.2) ? { calls } : {}),
  };
}

/** A question with options that no check of a command line has seen. */
export function wildOptions(chance: Chance): ForecastInput {
  const input = wildQuestion(chance);
  const odd = (): number => chance.of(ODD_NUMBERS);
  return {
    ...input,
    ...(chance.is(0.2) ? { stepSeconds: odd() } : {}),
    ...(chance.is(0.2) ? { horizonSteps: odd() } : {}),
    ...(chance.is(0.5) ? { seasons: chance.of([[], [odd()], [24, odd()], [168, 24], [7, 7], [2, 3, 4, 5, 6]]) } : {}),
    ...(chance.is(0.15) ? { at: odd() } : {}),
    ...(chance.is(0.2) ? { models: [] } : {}),
  };
}

/** Engines that answer as badly as a library can; a sound answer now and then. */
export function wildEngines(chance: Chance): ForecastEngines {
  const answer = (horizonSteps: number): MemberForecast => {
    if (chance.is(0.2)) return { ok: false, reason: 'does not converge' };
    const length = chance.is(0.1) ? chance.whole(2 * horizonSteps) : horizonSteps;
    const bad = chance.is(0.3) ? chance.of(ODD_NUMBERS) : undefined;
    return {
      ok: true,
      mean: Array.from({ length }, (_, step) => (bad !== undefined && step === length - 1 ? bad : chance.share())),
    };
  };
  return {
    mstl: { fitPredict: (_values, _seasons, horizonSteps) => answer(horizonSteps) },
    prophet: { fitPredict: ({ futureSeconds }) => answer(futureSeconds.length) },
  };
}

export function wildDemand(chance: Chance, length = chance.of(LENGTHS)): number[] {
  const scale = chance.of([1, 100, 1e-9, 1e-6, 1e9, 1e11]);
  const shape = chance.whole(10);
  let walk = 1;
  return Array.from({ length }, (_, step): number => {
    walk = Math.max(0, walk + chance.share() - 0.5);
    const daily = 1 + Math.sin((2 * Math.PI * step) / 12) / 2;
    if (shape === 0) return 0;
    if (shape === 1) return scale;
    if (shape === 2) return step % 2 === 0 ? 0 : scale;
    if (shape === 3) return chance.is(0.05) ? scale : 0;
    if (shape === 4) return Math.min(1e12, 1.5 ** step);
    if (shape === 5) return step > length - 4 ? 1e12 : daily;
    if (shape === 6) return step > length / 2 ? 0 : scale * daily;
    if (shape === 7) return scale * walk;
    if (shape === 8) return step === length - 1 ? 0 : scale * daily;
    return scale * daily * (1 + chance.share() / 10) * (chance.is(0.01) ? 1000 : 1);
  });
}

function dirty(chance: Chance, values: readonly number[], service: string, stepMs: number): DemandSample[] {
  const rows = values.map((rps, step): DemandSample => ({ at: START_MS + step * stepMs, service, rps }));
  if (chance.is(0.4)) return rows;
  const times = [Number.NaN, 8.64e15, -8.64e15, 1e300, 0];
  const out: DemandSample[] = [];
  const most = { loss: 0.05, repeat: 0.1, jitter: 0.3 };
  const of = (share: number): number => (chance.is(0.4) ? share * chance.share() : 0);
  const [loss, repeat, jitter, odd] = [of(most.loss), of(most.repeat), of(most.jitter), chance.is(0.15) ? 0.01 : 0];
  for (const row of rows) {
    if (chance.is(loss)) continue;
    if (chance.is(repeat)) out.push({ ...row, rps: chance.is(0.5) ? row.rps : 2 * row.rps });
    const at = chance.is(odd)
      ? chance.of([0, ...times])
      : row.at + Math.round(jitter * stepMs * (chance.share() - 0.5));
    const rps = chance.is(odd) ? chance.of(ODD_NUMBERS) : row.rps;
    const span = chance.is(odd) ? { spanMs: chance.of([0, -1, 3 * stepMs, 1e300, Number.NaN]) } : {};
    out.push({ ...row, at, rps, ...span, ...(chance.is(0.02) ? { isReset: true } : {}) });
  }
  return chance.is(0.3) ? out.reverse() : out;
}

function wildEvents(chance: Chance, stepMs: number): EventSpec[] {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return Array.from({ length: chance.whole(4) }, (_, index) => {
    const from = START_MS + chance.whole(160) * stepMs;
    return {
      id: `e${index}`,
      kind: chance.of(['sale', 'holiday', '__proto__', '']),
      start: chance.is(0.02) ? 'soon' : iso(from),
      end: iso(from + (chance.whole(40) - 1) * stepMs),
      ...(chance.is(0.5) ? { uplift: chance.is(0.02) ? chance.of(ODD_NUMBERS) : chance.of([0, 0.5, -0.9, 100]) } : {}),
      ...(chance.is(0.2) ? { regions: ['eu-west'] } : {}),
      ...(chance.is(0.05) ? { services: ['shop'] } : {}),
    };
  });
}
