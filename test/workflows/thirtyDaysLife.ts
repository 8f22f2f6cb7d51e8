import { Context } from '@temporalio/activity';
import type { AuditNote, CalendarOutcome, PlannedWindow, RegionActivities } from '../../activities/contract.js';
import type { AuditKind } from '../../core/audit/record.js';
import { hashOf } from './judgedRegion.js';
import type { Write } from './scriptedActivities.js';
import { ScriptedRegion } from './scriptedActivities.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const TICK_MS = 300_000;

/** Of every day, hours at which a planned window begins. */
const WINDOW_HOURS = [2, 8, 12, 20];
/** So long does a plan look ahead, and the calendar too. */
const PLANNED_MS = 3 * DAY_MS;
const CALENDAR_MS = 14 * DAY_MS;

export interface Times {
  fromMs: number;
  toMs: number;
}

/** What a life is to go through, in its own time. */
export interface Course {
  beginMs: number;
  endMs: number;
  /** Hours of a campaign, a planned window more; it is known from the begin on. */
  campaign: Times;
  /** Freezes of the calendar. */
  calendar: readonly Times[];
}

/** A scripted outside that lives in the server's time, and remembers when everything was. */
export class LongRegion extends ScriptedRegion {
  readonly timedWrites: (Write & { atMs: number })[] = [];
  readonly ticks: { atMs: number; frozen: boolean }[] = [];
  readonly called: { name: keyof RegionActivities; atMs: number }[] = [];
  readonly notes: AuditNote[] = [];
  private readonly course: Course;

  constructor(course: Course) {
    super();
    this.course = course;
    this.blastPercent = 5;
    this.windows = () => this.plannedWindows(this.nowMs());
    this.during = async (name) => {
      this.called.push({ name, atMs: this.nowMs() });
      return Promise.resolve();
    };
    this.tickOutcome = ({ frozen, inFlight, plan }) => {
      this.ticks.push({ atMs: this.nowMs(), frozen });
      if (inFlight !== null) return { decision: { kind: 'keep', reason: 'within the SLO' } };
      // Six times in a day the policy has something to do.
      if (frozen || this.ticks.length % 48 !== 0) return {};
      const adjustment = { address: 'shop.rateLimit.rps', from: 10, to: 11, reason: 'it binds', planHash: plan.hash };
      const change = { ...adjustment, madeAt: new Date(this.nowMs()).toISOString() };
      return { decision: { kind: 'adjust', adjustment: change, service: 'shop', baseline: {} as never } };
    };
  }

  override activities(): RegionActivities {
    const scripted = super.activities();
    const watched = <I extends unknown[], O>(work: (...input: I) => Promise<O>): ((...input: I) => Promise<O>) => {
      return async (...input) => {
        const before = this.writes.length;
        const outcome = await work(...input);
        this.timedWrites.push(...this.writes.slice(before).map((write) => ({ ...write, atMs: this.nowMs() })));
        return outcome;
      };
    };
    return {
      ...scripted,
      deployRelease: watched(scripted.deployRelease),
      applyIntent: watched(scripted.applyIntent),
      restoreDeployment: watched(scripted.restoreDeployment),
      planRegion: async (input) => {
        const made = await scripted.planRegion(input);
        return { ...made, plan: { ...made.plan, hash: hashOf(this.plans) } };
      },
      readCalendar: async (input) => {
        await scripted.readCalendar(input);
        return this.calendarFrom(input.fromMs);
      },
      recordAudit: async (input) => {
        this.notes.push(...input.entries);
        return scripted.recordAudit(input);
      },
    };
  }

  noted(kind: AuditKind): AuditNote[] {
    return this.notes.filter((note) => note.kind === kind);
  }

  timesOf(name: keyof RegionActivities): number[] {
    return this.called.filter((call) => call.name === name).map(({ atMs }) => atMs);
  }

  /** Begins of planned windows in order, from the one in which `fromMs` lies. */
  plannedWindows(fromMs: number, toMs = fromMs + PLANNED_MS): PlannedWindow[] {
    const { beginMs, endMs, campaign } = this.course;
    const times = [campaign.fromMs, campaign.toMs];
    for (let dayMs = beginMs - DAY_MS; dayMs <= endMs + PLANNED_MS; dayMs += DAY_MS) {
      times.push(...WINDOW_HOURS.map((hour) => dayMs + hour * HOUR_MS));
    }
    const sorted = [...new Set(times)].sort((a, b) => a - b).filter((time) => time < toMs);
    const first = sorted.findLastIndex((time) => time <= fromMs);
    return sorted.slice(first).map((wallFromMs) => ({ from: new Date(wallFromMs).toISOString(), wallFromMs }));
  }

  private calendarFrom(fromMs: number): CalendarOutcome {
    const untilMs = fromMs + CALENDAR_MS;
    const freezes = this.course.calendar.filter((one) => one.toMs > fromMs && one.fromMs < untilMs);
    return { freezes: freezes.map((one) => ({ ...one, why: 'closing of the books' })), untilMs };
  }

  /** The server's time, which is not that of the machine. */
  private nowMs(): number {
    return Context.current().info.scheduledTimestampMs;
  }
}
