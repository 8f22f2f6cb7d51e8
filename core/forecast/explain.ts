import type { ServiceDraft, ServiceJob } from './ensemble/draft.js';
import { leadsOf } from './ensemble/draft.js';
import { formatStep } from './steps.js';
import { mean } from './series.js';

/** Changes smaller than this are not worth a sentence. */
const WORTH_TELLING = 0.03;
const DAY_MS = 86_400_000;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** A forecast in sentences: level and trend, the seasons, events, what changed since the last one. p50 in rps. */
export function explain(job: ServiceJob, draft: ServiceDraft, p50: readonly number[]): string[] {
  return [
    ...levelAndTrend(job, p50),
    ...peakAndTrough(job, p50),
    ...eventsAhead(job, draft),
    ...sinceLast(job, draft, p50),
    weights(draft),
  ];
}

function levelAndTrend({ history, seasons }: ServiceJob, p50: readonly number[]): string[] {
  const season = seasons.findLast((length) => 2 * length <= history.values.length) ?? seasons[0] ?? 1;
  const last = mean(history.values.slice(-season));
  const before = mean(history.values.slice(-2 * season, -season));
  const span = formatStep((season * history.stepMs) / 1000);
  const ahead = p50.length >= season ? mean(p50.slice(0, season)) : Number.NaN;
  const trend = before > 0 ? `${change(last / before - 1)} on the ${span} before` : 'with nothing to compare before it';
  const next = last > 0 && Number.isFinite(ahead) ? `; the next ${span} ${verb(ahead / last - 1)}` : '';
  return [`The last ${span} had ${rps(last)} on average, ${trend}${next}.`];
}

function peakAndTrough({ history, startMs, seasons }: ServiceJob, p50: readonly number[]): string[] {
  const top = Math.max(...p50);
  const least = Math.min(...p50);
  if (p50.length < (seasons[0] ?? 1) || top <= 0 || (top - least) / top < WORTH_TELLING) return [];
  const when = (value: number): string => moment(startMs + p50.indexOf(value) * history.stepMs);
  return [`It is highest on ${when(top)} (${rps(top)}) and lowest on ${when(least)} (${rps(least)}).`];
}

function eventsAhead(job: ServiceJob, { factors }: ServiceDraft): string[] {
  const stale = leadsOf(job) - job.horizonSteps;
  const endMs = job.startMs + job.horizonSteps * job.history.stepMs;
  const ahead = job.events.filter((event) => event.endMs > job.startMs && event.startMs < endMs);
  if (ahead.length === 0) return [];
  const kinds = [...new Set(ahead.map((event) => event.kind))];
  const stated = Math.max(1, ...factors.p50.slice(stale));
  const list = kinds.slice(0, 5).join(', ') + (kinds.length > 5 ? ` and ${kinds.length - 5} more kinds` : '');
  const effect = stated > 1 ? `; those never seen before raise it by up to ${change(stated - 1)} as stated` : '';
  return [`${ahead.length} known event${ahead.length > 1 ? 's' : ''} ahead (${list})${effect}.`];
}

function sinceLast(job: ServiceJob, { choice, isKept }: ServiceDraft, p50: readonly number[]): string[] {
  const last = (isKept ? choice : job.kept)?.last;
  if (last === undefined) return [];
  const offset = Math.round((job.startMs - last.startMs) / job.history.stepMs);
  const both = p50.flatMap((value, step): [number, number][] => {
    const before = last.p50[step + offset];
    return before === undefined || step + offset < 0 ? [] : [[value, before]];
  });
  const before = mean(both.map(([, value]) => value));
  if (both.length === 0 || before <= 0) return [];
  const moved = mean(both.map(([value]) => value)) / before - 1;
  const told =
    Math.abs(moved) < WORTH_TELLING ? 'about as the last forecast said' : `${change(moved)} on the last forecast`;
  return [`The ${both.length} steps that both cover are ${told}${isKept ? '' : '; models were chosen anew'}.`];
}

function weights({ choice }: ServiceDraft): string {
  const said = choice.models.filter((model) => model.weight > 0);
  return `Made by ${said.map(({ name, weight }) => `${name} (${Math.round(100 * weight)} %)`).join(', ')}.`;
}

function moment(ms: number): string {
  const at = new Date(ms);
  return `${WEEKDAYS[at.getUTCDay()] ?? ''} ${at
    .toISOString()
    .slice(0, ms % DAY_MS === 0 ? 10 : 16)
    .replace('T', ' ')}`;
}

function verb(share: number): string {
  if (Math.abs(share) < WORTH_TELLING) return 'stays about there';
  return `${share > 0 ? 'rises' : 'falls'} by ${percent(share)}`;
}

function change(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(share)}`;
}

function percent(share: number): string {
  return `${Math.abs(Math.round(1000 * share) / 10)} %`;
}

function rps(value: number): string {
  return `${Number(value.toPrecision(3))} rps`;
}
