import { condition, isCancellation } from '@temporalio/workflow';
import type { CalendarOutcome } from '../../activities/contract.js';
import { failureOf, readCalendar } from '../shared/activities.js';
import { nowIso, nowMs } from '../shared/clock.js';
import { blockedBy } from './blocked.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';

/** Who is said to have frozen a region at such a time. */
export const CALENDAR = 'calendar';

/** What of the region's calendar is known, and which of its freezes a person has ended early. */
export interface CalendarState {
  freezes: readonly { fromMs: number; toMs: number; why: string }[];
  untilMs: number;
  /** Begin of the last freeze that a person ended by `resume`; it does not come back. */
  endedFromMs: number | null;
  /** When it is read next. */
  readMs: number;
  /** Begin of the freeze that is in force, beside a person's too; `null`: none is. */
  inForceFromMs: number | null;
  /** Since when the calendar itself holds the region; a person's freeze has another time. */
  heldSince: string | null;
  /** The adjustment ran when it began, and is to run after it. */
  ranBefore: boolean;
  /** Why it could not be read the last time; `null`: it was. What was known then holds. */
  problem: string | null;
}

/** What `status` says of it. */
export interface CalendarStatus {
  /** The next five, one that lasts included. ISO 8601. */
  next: readonly { from: string; to: string; why: string; endedEarly: boolean }[];
  /** Beyond this nothing is known yet; `null`: it was never read. */
  knownUntil: string | null;
  problem: string | null;
}

const HOUR_MS = 3_600_000;
/** Read anew so long before the end of what is known. */
const AHEAD_MS = 24 * HOUR_MS;
const SHOWN = 5;
const MAX_PROBLEM = 500;

/** Begins and ends the freezes that are due, and reads the calendar anew before it runs out. */
export async function followCalendar(region: Region): Promise<void> {
  const { state } = region;
  if (state.accepted.hasCalendar !== true) return;
  await readWhereDue(region);
  const { calendar } = state;
  if (calendar === undefined) return;
  if (calendar.inForceFromMs !== null && state.freeze === null) noteResumed(region, calendar);
  const due = calendar.freezes.find((one) => isComing(calendar, one) && one.fromMs <= nowMs());
  if (calendar.inForceFromMs !== null && due?.fromMs !== calendar.inForceFromMs) await end(region, calendar);
  if (due !== undefined && calendar.inForceFromMs === null) await begin(region, calendar, due);
}

/** Milliseconds until `followCalendar` has something to do; `null`: never. */
export function untilCalendarMs(state: LifecycleState): number | null {
  if (state.accepted.hasCalendar !== true) return null;
  const { calendar, blocked } = state;
  // A blocked region waits for a decision and reads nothing.
  if (calendar === undefined) return blocked === null ? 0 : null;
  const atMs = nowMs();
  const coming = calendar.freezes.filter((one) => isComing(calendar, one));
  const lasts = coming.some((one) => one.fromMs === calendar.inForceFromMs);
  if (calendar.inForceFromMs !== null && !lasts) return 0;
  const times = coming.map(({ fromMs, toMs }) => (fromMs > atMs ? fromMs : toMs));
  const next = Math.min(...times, blocked === null ? calendar.readMs : Infinity);
  return next === Infinity ? null : Math.max(0, next - atMs);
}

/** A new plan is a good time to look again: the worker's time zones may be newer than what was read. */
export function readSoon({ calendar }: LifecycleState): void {
  if (calendar !== undefined) calendar.readMs = nowMs();
}

type Freeze = CalendarState['freezes'][number];

function isComing({ endedFromMs }: CalendarState, { fromMs, toMs }: Freeze): boolean {
  return toMs > nowMs() && fromMs !== endedFromMs;
}

/** Messages are carried out meanwhile; a block leaves the answer to come in when it comes. */
async function readWhereDue(region: Region): Promise<void> {
  const { state } = region;
  if (state.blocked !== null || nowMs() < (state.calendar?.readMs ?? 0)) return;
  let isRead = false;
  const reading = read(region).then(() => {
    isRead = true;
  });
  while (!isRead) {
    await Promise.race([reading, condition(() => region.mailbox.queue.length > 0 || state.blocked !== null)]);
    if (isRead || state.blocked !== null) return;
    await region.carryOutQueued();
  }
}

async function read({ state }: Region): Promise<void> {
  const fromMs = nowMs();
  const { calendar: known } = state;
  // Should it fail, or nobody wait for it, an hour later is soon enough.
  state.calendar = { ...(known ?? UNREAD), readMs: fromMs + HOUR_MS };
  try {
    const { freezes, untilMs }: CalendarOutcome = await readCalendar({ specRef: state.accepted.specRef, fromMs });
    const readMs = Math.max(Math.min(untilMs, fromMs + HOUR_MS), untilMs - AHEAD_MS);
    state.calendar = { ...state.calendar, freezes, untilMs, readMs, problem: null };
  } catch (error) {
    state.calendar = { ...state.calendar, problem: failureOf(error).detail.slice(0, MAX_PROBLEM) };
  }
}

const UNREAD: CalendarState = {
  freezes: [],
  untilMs: 0,
  endedFromMs: null,
  readMs: 0,
  inForceFromMs: null,
  heldSince: null,
  ranBefore: false,
  problem: null,
};

function noteResumed(region: Region, calendar: CalendarState): void {
  const freeze = calendar.freezes.find((one) => one.fromMs === calendar.inForceFromMs);
  calendar.endedFromMs = calendar.inForceFromMs;
  calendar.inForceFromMs = null;
  calendar.heldSince = null;
  const result = `ended by a person's resume; it would have lasted until ${iso(freeze?.toMs ?? nowMs())}`;
  region.audit.note({ kind: 'calendar', why: freeze?.why ?? 'resumed', subject: 'freeze', to: null, result });
}

async function begin(region: Region, calendar: CalendarState, { fromMs, toMs, why }: Freeze): Promise<void> {
  const { state } = region;
  calendar.inForceFromMs = fromMs;
  // A person's freeze stands, and stays when this one ends.
  if (state.freeze !== null) return;
  const since = nowIso();
  state.freeze = { who: CALENDAR, why: `${why} (until ${iso(toMs)})`, since };
  calendar.heldSince = since;
  calendar.ranBefore = state.step === 'operate' && state.tuner.state === 'running';
  const result = `no automatic change until ${iso(toMs)}, or resume`;
  region.audit.note({ kind: 'calendar', why, subject: 'freeze', from: null, to: `frozen by ${CALENDAR}`, result });
  if (calendar.ranBefore) {
    await orBlock(region, async () => {
      if ((await region.forwardCopy()) === null) await region.takeWriter();
    });
  }
  region.show();
}

/** Ends what the calendar began. A person's freeze stays, and so does that of a rollback, which lasts until `resume`. */
async function end(region: Region, calendar: CalendarState): Promise<void> {
  const { state } = region;
  const { freeze, rolledBack } = state;
  const isOwn = freeze?.who === CALENDAR && freeze.since === calendar.heldSince;
  calendar.inForceFromMs = null;
  calendar.heldSince = null;
  if (!isOwn) return;
  if (rolledBack === null) state.freeze = null;
  else state.freeze = { ...freeze, who: 'psmg', why: `deployment ${rolledBack.to} runs until resume` };
  const to = state.freeze === null ? null : state.freeze.why;
  const result = to === null ? 'automatic changes are allowed again' : 'the freeze of the rollback goes on';
  region.audit.note({
    kind: 'calendar',
    why: freeze.why,
    subject: 'freeze',
    from: `frozen by ${CALENDAR}`,
    to,
    result,
  });
  if (state.freeze === null) await orBlock(region, () => goOn(region, calendar));
  region.show();
}

/** What a person's message made the lifecycle write itself, in the freeze, is handed over to the adjustment again. */
async function goOn(region: Region, { ranBefore }: CalendarState): Promise<void> {
  const { state } = region;
  if (state.step !== 'operate') return;
  if (state.tuner.state === 'running') await region.forwardCopy();
  const isOthers = state.blocked !== null || state.drained !== undefined || !ranBefore;
  if (isOthers || state.tuner.state === 'running') return;
  await region.takeWriter();
  await region.handOver();
}

async function orBlock(region: Region, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { reason, detail } = blockedBy(error, 'target-unreachable');
    region.block(reason, detail);
  }
}

/** Absent: the region file names no calendar, or it has not been read yet. */
export function calendarStatus({ calendar }: LifecycleState): CalendarStatus | undefined {
  if (calendar === undefined) return undefined;
  const next = calendar.freezes
    .filter((one) => one.toMs > nowMs())
    .slice(0, SHOWN)
    .map(({ fromMs, toMs, why }) => {
      return { from: iso(fromMs), to: iso(toMs), why, endedEarly: fromMs === calendar.endedFromMs };
    });
  const knownUntil = calendar.untilMs === 0 ? null : iso(calendar.untilMs);
  return { next, knownUntil, problem: calendar.problem };
}

/** Lines of Markdown for the details in the UI. */
export function calendarLines(state: LifecycleState): string[] {
  const status = calendarStatus(state);
  if (status === undefined) return [];
  const next = status.next.find((one) => !one.endedEarly);
  return [
    ...(next === undefined ? [] : [`- calendar: frozen from ${next.from} to ${next.to}: ${next.why}`]),
    ...(status.problem === null ? [] : [`- calendar: not read, what is known holds: ${status.problem}`]),
  ];
}

/** A region file may say "for ever", and a date has an end. */
function iso(ms: number): string {
  return new Date(Math.min(ms, 8.64e15)).toISOString();
}
