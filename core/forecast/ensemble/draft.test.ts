import { describe, expect, it } from '@jest/globals';

import { SHOP } from '../../../test/fixtures/shopDemand.js';
import type { ServiceChoice } from './choice.js';
import type { DraftOutcome, ServiceDraft, ServiceJob } from './draft.js';
import { draftService } from './draft.js';
import { finishRegion } from '../finish.js';
import { lagRegression } from '../members/lagRegression.js';
import type { ForecastMember } from '../members/members.js';
import { seasonalNaive, shortNaive } from '../members/seasonalNaive.js';
import type { Series } from '../series.js';
import { endMs, sliceSeries } from '../series.js';

const HOUR_MS = 3_600_000;
const SEASONS = [24, 168];
const EARLIER = sliceSeries(SHOP, SHOP.values.length - 24);

function job(history: Series, kept?: ServiceChoice): ServiceJob {
  return {
    service: 'storefront',
    history,
    startMs: endMs(history),
    horizonSteps: 48,
    seasons: SEASONS,
    events: [],
    known: [],
    seed: 1,
    ...(kept === undefined ? {} : { kept }),
  };
}

interface Counted {
  members: ForecastMember[];
  fits: () => number;
}

function counted(): Counted {
  let fits = 0;
  const members = [lagRegression(SEASONS), seasonalNaive(SEASONS), shortNaive(SEASONS)].map((member) => ({
    ...member,
    forecast: (...input: Parameters<ForecastMember['forecast']>) => {
      fits++;
      return member.forecast(...input);
    },
  }));
  return { members, fits: () => fits };
}

function run(asked: ServiceJob, members: readonly ForecastMember[]): DraftOutcome {
  const steps = draftService(asked, members);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function draft(asked: ServiceJob, members: readonly ForecastMember[] = counted().members): ServiceDraft {
  const outcome = run(asked, members);
  if (outcome.kind !== 'draft') throw new Error(outcome.reason);
  return outcome.draft;
}

/** The choice as the next forecast gets it: with what this one said. */
function keep(asked: ServiceJob): ServiceChoice {
  const [choice] = finishRegion([{ job: asked, outcome: run(asked, counted().members) }]).choices;
  if (choice === undefined) throw new Error('nothing chosen');
  return choice;
}

describe('draftService with a kept choice', () => {
  const kept = keep(job(EARLIER));

  it('fits each member once that the choice gives weight, and forecasts the same as the choice would anew', () => {
    const { members, fits } = counted();
    const again = draft(job(EARLIER, kept), members);
    expect(again.isKept).toBe(true);
    expect(fits()).toBe(kept.models.filter((model) => model.weight > 0).length);
    expect(again.mean).toEqual(draft(job(EARLIER)).mean);
  });

  it('survives being stored as JSON', () => {
    const stored = JSON.parse(JSON.stringify(kept)) as ServiceChoice;
    expect(draft(job(SHOP, stored))).toEqual(draft(job(SHOP, kept)));
  });

  it.each<[string, Partial<ServiceChoice>]>([
    ['the horizon has changed', { horizonSteps: 24 }],
    ['the seasons have changed', { seasons: [24] }],
    ['other models are asked', { asked: ['arima'] }],
    ['the step has changed', { stepMs: 60_000 }],
    ['it was made on a later history', { chosenAtMs: endMs(SHOP) + HOUR_MS }],
    ['of the longest season old', { chosenAtMs: endMs(SHOP) - 5 * 168 * HOUR_MS }],
  ])('chooses anew when %s', (why, change) => {
    const fresh = draft(job(SHOP, { ...kept, ...change }));
    expect(fresh.isKept).toBe(false);
    expect(fresh.notes.join()).toContain(why);
  });

  it('chooses anew when what came has left the last forecast behind', () => {
    const doubled = SHOP.values.map((value, index) => (index >= EARLIER.values.length ? 3 * value : value));
    const fresh = draft(job({ ...SHOP, values: doubled }, kept));
    expect(fresh.isKept).toBe(false);
    expect(fresh.notes.join()).toMatch(/drift: MASE \d/);
    expect(draft(job(SHOP, kept)).isKept).toBe(true);
  });

  it('chooses anew when a chosen member cannot forecast any more', () => {
    const broken = counted().members.map((member): ForecastMember => ({
      ...member,
      forecast: (train, ...rest) =>
        member.name === kept.models[0]?.name && train.values.length > 1000
          ? { ok: false, reason: 'broken' }
          : member.forecast(train, ...rest),
    }));
    const fresh = draft(job(SHOP, kept), broken);
    expect(fresh.isKept).toBe(false);
    expect(fresh.notes.join()).toContain('cannot forecast any more');
  });
});

describe('explanations', () => {
  it('tell level, trend, peak, what changed and who said it', () => {
    const kept = keep(job(EARLIER));
    const asked = job(SHOP, kept);
    const { forecast } = finishRegion([{ job: asked, outcome: run(asked, counted().members) }]);
    const said = forecast.series[0]?.explanation?.join(' ') ?? '';
    expect(said).toMatch(/The last 7d had \d+(\.\d+)? rps on average, [+−]\d/);
    expect(said).toMatch(/highest on \w+day 2012-04-\d\d \d\d:00/);
    expect(said).toMatch(/The 24 steps that both cover are/);
    expect(said).toContain('Made by ');
  });
});
