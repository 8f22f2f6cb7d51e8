import { parseInstant } from './instant.js';
import { oneLine } from './oneLine.js';
import type { FreezeSpec } from './region.js';
import { timeZoneNamed } from './timeZone.js';
import type { Span } from './weekly.js';
import { WEEK_MS, weeklySpans } from './weekly.js';

export interface FreezeSpan extends Span {
  why: string;
}

/** What is known of a calendar; beyond `untilMs` nothing is. */
export interface FreezeCalendar {
  freezes: readonly FreezeSpan[];
  untilMs: number;
}

const KNOWN_MS = 4 * WEEK_MS;
/** They live in a workflow's state. */
const MAX_FREEZES = 40;
const MAX_WHY = 200;

/**
 * When nothing may change by itself, from `fromMs` on for 28 days, or for fewer where there is more than a calendar
 * holds: in order, those that touch put together with their reasons. One that has begun, or that lasts beyond, is whole.
 */
export function freezeCalendar(specs: readonly FreezeSpec[], fromMs: number): FreezeCalendar {
  const untilMs = fromMs + KNOWN_MS;
  // Looked back for as long, so that one of several parts begins when it began, whenever it is looked at.
  const looked = { fromMs: fromMs - KNOWN_MS, toMs: untilMs };
  const all = merged(specs.flatMap((spec) => spansOf(spec, looked).map((span) => ({ ...span, why: spec.why }))));
  const coming = all.filter((span) => span.toMs > fromMs && span.fromMs < untilMs);
  const next = coming[MAX_FREEZES];
  return { freezes: coming.slice(0, MAX_FREEZES), untilMs: next === undefined ? untilMs : next.fromMs };
}

function spansOf(spec: FreezeSpec, looked: Span): Span[] {
  if ('weekly' in spec) {
    const zone = timeZoneNamed(spec.weekly.timeZone);
    return zone === null ? [] : weeklySpans(spec.weekly, zone, looked);
  }
  const [fromMs, toMs] = [parseInstant(spec.from), parseInstant(spec.to)];
  if (fromMs === null || toMs === null || fromMs >= toMs) return [];
  return toMs > looked.fromMs && fromMs < looked.toMs ? [{ fromMs, toMs }] : [];
}

function merged(spans: readonly FreezeSpan[]): FreezeSpan[] {
  const inOrder = [...spans].sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
  const joined: (Span & { whys: string[] })[] = [];
  for (const { fromMs, toMs, why } of inOrder) {
    const last = joined.at(-1);
    if (last === undefined || fromMs > last.toMs) joined.push({ fromMs, toMs, whys: [why] });
    else {
      last.toMs = Math.max(last.toMs, toMs);
      if (!last.whys.includes(why)) last.whys.push(why);
    }
  }
  return joined.map(({ whys, ...span }) => ({ ...span, why: oneLine(whys.join('; ')).slice(0, MAX_WHY) }));
}
