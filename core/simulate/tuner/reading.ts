import type { Family } from '../../tuning/bandit/coefficients.js';
import type { DecisionInput } from '../../tuning/bandit/context.js';
import type { Seen } from '../../tuning/bandit/harm.js';
import { reward } from '../../tuning/reward.js';
import type { InstanceView, TwinView } from '../control.js';
import type { TwinDemand } from '../model.js';
import { forecastAt } from './knowledge.js';
import type { Knowledge, KnownService } from './knowledge.js';

/** A rise of the forecast by this share within the look-ahead is an event. */
const EVENT_RISE = 0.2;
const LOOK_AHEAD_MS = 1_800_000;
const LOOK_STEP_MS = 60_000;
const SLO_ERRORS = 0.01;

/** Instances of a service that answer in our own region. */
export function readyHere(
  views: readonly InstanceView[],
  { own }: Knowledge,
  { name }: Pick<KnownService, 'name'>,
): InstanceView[] {
  return views.filter(({ service, region, state }) => service === name && region === own && state === 'ready');
}

/** Requests per second that came by each entry, in the order of the model. */
export function entryRates({ entries }: TwinView, intervalMs: number): number[] {
  return entries.map(({ offered }) => (1000 * offered) / intervalMs);
}

/** Reward share of a tick over all entries; `null` where nothing came. What capacity costs is the same for both sides. */
export function shareOf({ entries }: TwinView, { own, model }: Knowledge, intervalMs: number): Seen | null {
  const seconds = intervalMs / 1000;
  const { share } = reward({
    seconds,
    routes: entries.map(({ entry, offered, withinDeadline }, e) => ({
      ...{ region: own, route: entry, offered, withinDeadline, valuePerRequest: model.entries[e]?.value ?? 0 },
    })),
    ...{ capacity: [], egress: [], changes: { count: 0, costPerChange: 0 } },
  });
  if (share === null) return null;
  return { share, offeredRps: entries.reduce((sum, { offered }) => sum + offered, 0) / seconds };
}

/** What is known of a service when it is decided on. */
export function decisionInput(
  view: TwinView,
  knowledge: Knowledge,
  service: KnownService,
  options: { forecast: TwinDemand | undefined; withoutForecast: boolean },
): DecisionInput {
  const seen = view.observation.services.find((one) => one.service === service.name);
  const ready = readyHere(view.instances, knowledge, service);
  const sum = (count: (view: (typeof ready)[number]) => number): number =>
    ready.reduce((total, one) => total + count(one), 0);
  const asked = sum(({ offered }) => offered);
  const limited = (seen?.errors.rateLimited ?? 0) + (seen?.errors.breaker ?? 0);
  const offeredRps = seen?.rps ?? null;
  const forecast = forecastAt(knowledge, options.forecast, service, view.nowMs);
  return {
    offeredRps,
    // A context without a forecast is one in which all is as forecast.
    forecastRps: options.withoutForecast ? offeredRps : forecast,
    secondsToEvent: options.withoutForecast
      ? Infinity
      : secondsToEvent(knowledge, options.forecast, service, view.nowMs),
    utilisation: ready.length > 0 ? sum(({ utilisation }) => utilisation) / ready.length : null,
    p99Ms: seen?.p99Ms ?? null,
    sloP99Ms: service.deadlineMs,
    errorRate: seen?.errorRate ?? null,
    sloErrorRate: SLO_ERRORS,
    refusedShare: asked > 0 ? Math.min(1, (sum(({ refused }) => refused) + limited) / (asked + limited)) : null,
    trust: forecast === null ? 'low' : 'fair',
  };
}

function secondsToEvent(
  knowledge: Knowledge,
  forecast: TwinDemand | undefined,
  service: KnownService,
  nowMs: number,
): number | null {
  const now = forecastAt(knowledge, forecast, service, nowMs);
  if (now === null) return null;
  for (let ahead = LOOK_STEP_MS; ahead <= LOOK_AHEAD_MS; ahead += LOOK_STEP_MS) {
    const then = forecastAt(knowledge, forecast, service, nowMs + ahead) ?? 0;
    if (then > (1 + EVENT_RISE) * now) return ahead / 1000;
  }
  return Infinity;
}

/** In a tick: what each family's limit refused, and what the service failed or answered too late. */
export type Losses = Readonly<Record<Family | 'failed', number>>;

export const refusedIn = (losses: Losses): number => losses.limitMargin + losses.concurrency;

export function lossesOf(view: TwinView, own: string, service: string, refusedAtEdge: number): Losses {
  const instances = view.instances.filter((one) => one.service === service && one.region === own);
  const sum = (count: (one: (typeof instances)[number]) => number): number =>
    instances.reduce((total, one) => total + count(one), 0);
  const { rateLimited = 0, breaker = 0 } =
    view.observation.services.find((one) => one.service === service)?.errors ?? {};
  return {
    limitMargin: rateLimited + refusedAtEdge,
    concurrency: breaker + sum(({ refused }) => refused),
    spill: 0,
    failed: sum(({ failed }) => failed),
  };
}
