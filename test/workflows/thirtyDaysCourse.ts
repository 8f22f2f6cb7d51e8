import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import type { Course, LongRegion, Times } from './thirtyDaysLife.js';
import { DAY_MS, HOUR_MS } from './thirtyDaysLife.js';
import type { LongLivedPerson } from './thirtyDaysPerson.js';
import type { Builds } from './thirtyDaysServer.js';

/** Who and what a life is made of. */
export interface Cast {
  person: LongLivedPerson;
  outside: LongRegion;
  builds: Builds;
}

export interface Act {
  atMs: number;
  play(cast: Cast): Promise<void>;
}

/** An override of a setting, to a value that no other has, and when it has to be gone. */
export interface Expiry {
  value: number;
  goneMs: number;
}

/** A course and what its people do, in order. */
export interface Script {
  course: Course;
  acts: readonly Act[];
  /** The calendar's freezes and people's. */
  freezes: readonly Times[];
  takenOver: readonly Times[];
  expiries: readonly Expiry[];
}

export const OVERRIDDEN = 'shop.breaker.maxRequests';

/** Days and hours after the begin of a life. */
type Moment = readonly [day: number, hour: number];

/** Writes a script: days and hours in, times of the server out. */
export class Scriptwriter {
  private readonly beginMs: number;
  private readonly acts: Act[] = [];
  private readonly frozen: Times[] = [];
  private readonly takenOver: Times[] = [];
  private readonly expiries: Expiry[] = [];

  constructor(beginMs: number) {
    this.beginMs = beginMs;
  }

  /** `goneAt`: later than `until` where a freeze holds the expiry. */
  override(at: Moment, value: number, until: Moment, goneAt: Moment = until): this {
    const fields = { address: OVERRIDDEN, value, until: new Date(this.ms(until)).toISOString() };
    this.expiries.push({ value, goneMs: this.ms(goneAt) });
    return this.act(at, ({ person }) => person.update('override', fields));
  }

  freeze(from: Moment, to: Moment): this {
    this.frozen.push({ fromMs: this.ms(from), toMs: this.ms(to) });
    return this.act(from, ({ person }) => person.update('freeze')).act(to, ({ person }) => person.update('resume'));
  }

  takeOver(from: Moment, to: Moment): this {
    this.takenOver.push({ fromMs: this.ms(from), toMs: this.ms(to) });
    return this.act(from, ({ person }) => person.update('take-over')).act(to, ({ person }) =>
      person.update('hand-back'),
    );
  }

  /** In the middle of runs; for the hours before it every workflow completes a task. */
  build(at: Moment, build: 2 | 3): this {
    const settledMs = this.ms(at);
    return this.act([at[0], at[1] - 3], async ({ person, builds }) => {
      await builds.stop(() => person.sleepUntil(settledMs));
      await builds.run(build);
    });
  }

  /** The next plan changes so much that a person is asked, and nobody answers. */
  unanswered(at: Moment): this {
    return this.act(at, async ({ person, outside }) => {
      outside.blastPercent = 60;
      await person.sleepUntilSo('asked', isAsked);
      await person.sleepUntilSo('not answered', ({ replan }) => replan?.state === 'failed');
      outside.blastPercent = 5;
    });
  }

  approved(at: Moment): this {
    return this.act(at, async ({ person, outside }) => {
      outside.blastPercent = 60;
      await person.update('replan');
      const { approval } = await person.sleepUntilSo('asked', isAsked);
      await person.update('approve', { planHash: approval?.planHash });
      await person.sleepUntilSo('approved', ({ replan }) => replan?.state === 'done' && replan.by === 'ada');
      outside.blastPercent = 5;
    });
  }

  act(at: Moment, play: Act['play']): this {
    this.acts.push({ atMs: this.ms(at), play });
    return this;
  }

  write(end: Moment, campaign: [Moment, Moment], calendar: readonly [Moment, Moment][]): Script {
    const times = ([from, to]: readonly [Moment, Moment]): Times => ({ fromMs: this.ms(from), toMs: this.ms(to) });
    const course = {
      ...{ beginMs: this.beginMs, endMs: this.ms(end) },
      ...{ campaign: times(campaign), calendar: calendar.map(times) },
    };
    const acts = [...this.acts].sort((a, b) => a.atMs - b.atMs);
    const { takenOver, expiries } = this;
    return { course, acts, freezes: [...this.frozen, ...course.calendar], takenOver, expiries };
  }

  private ms([day, hour]: Moment): number {
    return this.beginMs + day * DAY_MS + hour * HOUR_MS;
  }
}

const isAsked = ({ phase }: RegionStatus): boolean => phase === 'awaiting-approval';
