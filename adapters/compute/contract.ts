import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ForecastEngines } from '../../core/forecast/members/createMembers.js';
import type { DraftOutcome, ServiceJob } from '../../core/forecast/ensemble/draft.js';
import { draftService } from '../../core/forecast/ensemble/draft.js';
import type { LstmTraining } from '../../core/forecast/members/lstm/training.js';
import { trainLstm } from '../../core/forecast/members/lstm/train.js';
import { membersFor } from '../../core/forecast/forecast.js';
import type { ModelName } from '../../core/forecast/members/members.js';
import { ComputeClosedError } from './errors.js';
import type { ForecastCompute } from './port.js';

const HOUR_MS = 3_600_000;
const CHEAP: readonly ModelName[] = ['seasonal-naive', 'lag-regression'];

/** What every forecast compute must do. `create` gives a fresh one, `engines` those that its numbers are compared with. */
export function forecastComputeContract(
  name: string,
  create: () => ForecastCompute,
  engines: () => Promise<ForecastEngines>,
): void {
  // A thread takes most of a second to start, and several where others use the processor.
  jest.setTimeout(60_000);
  describe(`${name} as a forecast compute`, () => {
    let compute: ForecastCompute;
    beforeAll(() => {
      compute = create();
    });
    afterAll(async () => compute.close());

    it('gives the numbers that the steps give, with all models', async () => {
      const jobs = [job('shop', 150), job('pay', 170)];
      expect(await compute.draft({ jobs })).toEqual(await expected(jobs));
    });

    it('answers in the order of the jobs, long ones first', async () => {
      const jobs = [job('slow', 1200), ...['a', 'b', 'c', 'd', 'e', 'f'].map((service) => job(service, 200))];
      const outcomes = await compute.draft({ jobs, models: CHEAP });
      expect(outcomes).toEqual(await expected(jobs, CHEAP));
    });

    it('goes by what an earlier forecast decided', async () => {
      const [first] = await compute.draft({ jobs: [job('shop', 400)], models: CHEAP });
      if (first?.kind !== 'draft') throw new Error('no draft');
      const again = { ...job('shop', 424), kept: first.draft.choice };
      const [second] = await compute.draft({ jobs: [again], models: CHEAP });
      expect(second).toMatchObject({ kind: 'draft', draft: { isKept: true, choice: first.draft.choice } });
    });

    it('gives the reason where there is too little history, and the others their draft', async () => {
      const outcomes = await compute.draft({ jobs: [job('new', 10), job('shop', 200)], models: CHEAP });
      expect(outcomes.map(({ kind }) => kind)).toEqual(['none', 'draft']);
      expect(outcomes[0]).toMatchObject({ service: 'new', reason: expect.stringContaining('10 steps of history') });
    });

    it('has nothing to say to no jobs', async () => {
      expect(await compute.draft({ jobs: [] })).toEqual([]);
    });

    it('tells how far it is: never backwards, seldom, and at the end', async () => {
      const told: [number, number, string][] = [];
      const from = performance.now();
      const jobs = Array.from({ length: 12 }, (_, index) => job(`s${index}`, 300));
      await compute.draft({ jobs, models: CHEAP }, { progress: (...entry) => told.push(entry) });
      const counts = told.map(([done]) => done);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      expect(told.at(-1)).toEqual([12, 12, expect.stringMatching(/^s\d+$/)]);
      expect(told[0]?.[2]).toMatch(/^s\d+: (lag-regression|seasonal-naive), /);
      expect(told.length).toBeLessThanOrEqual(2 + (4 * (performance.now() - from)) / 1000);
    });

    it('stops in the middle, with the reason, and works on afterwards', async () => {
      const cancel = new AbortController();
      const reason = new Error('a person stopped it');
      const counts: number[] = [];
      const progress = (done: number): void => {
        counts.push(done);
        cancel.abort(reason);
      };
      const jobs = Array.from({ length: 30 }, (_, index) => job(`s${index}`, 1000));
      await expect(compute.draft({ jobs }, { signal: cancel.signal, progress })).rejects.toBe(reason);
      expect(Math.max(...counts)).toBeLessThan(30);
      const [shop] = [[job('shop', 200)]];
      expect(await compute.draft({ jobs: shop, models: CHEAP })).toEqual(await expected(shop, CHEAP));
    });

    it('does not begin what was stopped before', async () => {
      const told: string[] = [];
      const run = {
        signal: AbortSignal.abort('over'),
        progress: (...[, , word]: [number, number, string]) => told.push(word),
      };
      await expect(compute.draft({ jobs: [job('shop', 200)] }, run)).rejects.toBe('over');
      expect(told).toEqual([]);
    });

    it('trains the network that the steps train, and tells how far it is', async () => {
      const words: string[] = [];
      const trained = await compute.train(TRAINING, { progress: (_done, _total, word) => words.push(word) });
      expect(trained).toEqual(toTheEnd(trainLstm(TRAINING)));
      expect(trained.ok).toBe(true);
      expect(words[0]).toMatch(/^lstm, /);
      expect(words.at(-1)).toBe('trained');
    });

    it('refuses a training that is not sound, with all that is wrong', async () => {
      const refusal = await compute.train({ ...TRAINING, seasons: [], series: [] });
      expect(refusal).toMatchObject({ ok: false, problems: [{ field: 'series' }, { field: 'seasons' }] });
    });

    it('stops a training in the middle, with the reason', async () => {
      const cancel = new AbortController();
      const run = { signal: cancel.signal, progress: () => cancel.abort('enough') };
      const long = { ...TRAINING, limits: { epochs: 10_000, samplesPerEpoch: 10_000 } };
      await expect(compute.train(long, run)).rejects.toBe('enough');
    });

    it('answers two requests at once, and stops one of them alone', async () => {
      const cancel = new AbortController();
      const jobs = ['a', 'b', 'c'].map((service) => job(service, 200));
      const stopped = compute.draft({ jobs }, { signal: cancel.signal });
      const kept = compute.draft({ jobs, models: CHEAP });
      cancel.abort('over');
      await expect(stopped).rejects.toBe('over');
      expect(await kept).toEqual(await expected(jobs, CHEAP));
    });

    it('says so when it is closed, to what is under way too, and closes twice without complaint', async () => {
      const closing = create();
      const underWay = closing.draft({ jobs: [job('shop', 1000), job('pay', 1000)] });
      const end = expect(underWay).rejects.toThrow(ComputeClosedError);
      await closing.close();
      await closing.close();
      await end;
      await expect(closing.draft({ jobs: [job('shop', 200)] })).rejects.toThrow(ComputeClosedError);
    });

    async function expected(jobs: readonly ServiceJob[], models?: readonly ModelName[]): Promise<DraftOutcome[]> {
      const loaded = await engines();
      return jobs.map((one) => toTheEnd(draftService(one, membersFor(one, loaded, models))));
    }
  });
}

function toTheEnd<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A question about hours of demand with a day's shape and a little disorder, different for each service. */
export function job(service: string, steps: number): ServiceJob {
  const own = [...service].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const values = Array.from({ length: steps }, (_, hour) => {
    const disorder = ((hour * 7919 + own * 104_729) % 1000) / 1000;
    return own + 40 * Math.sin((2 * Math.PI * (hour + own)) / 24) + 15 * disorder;
  });
  const history = { startMs: Date.UTC(2026, 0, 5), stepMs: HOUR_MS, values };
  return {
    service,
    history,
    startMs: history.startMs + steps * HOUR_MS,
    horizonSteps: 24,
    seasons: [24],
    events: [],
    known: [],
    seed: 1,
  };
}

const TRAINING: LstmTraining = {
  series: ['shop', 'pay'].map((service) => ({ service, history: job(service, 240).history, regressors: [] })),
  seasons: [24],
  horizonSteps: 24,
  heldBackSteps: 48,
  seed: 1,
  limits: { epochs: 2, samplesPerEpoch: 64, hidden: 4, decoder: 4 },
};
