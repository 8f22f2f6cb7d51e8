import type { DifferenceKind, PlanDifference, ValueChange } from './diffPlans.js';
import { moveOf, shownValue } from './diffPlans.js';
import type { PlanValue } from './facts.js';
import { shownNumber } from './facts.js';
import { oneDecimal } from '../../spec/oneDecimal.js';

/** What settings are called, for somebody who does not have their addresses in mind. */
const NAMES: Readonly<Record<string, string>> = {
  'lb.policy': 'load balancing',
  'lb.slowStartMs': 'slow start',
  'rateLimit.rps': 'rate limit of each proxy',
  'rateLimit.burst': 'burst of the rate limit',
  'rateLimit.enforcedPercent': 'enforcement of the rate limit',
  'breaker.maxConnections': 'connections from each proxy',
  'breaker.maxPendingRequests': 'waiting requests of each proxy',
  'breaker.maxRequests': 'requests in flight from each proxy',
  'inbound.maxRequests': 'requests in flight at each instance',
  'inbound.retryRps': 'retries that each instance accepts',
  'retry.budgetPercent': 'retry budget',
  'retry.minConcurrency': 'retries at a time beyond the budget',
  'retry.maxPerRequest': 'retries of a request',
  'timeout.requestMs': 'timeout of a request',
  'timeout.connectMs': 'timeout of a connection',
  'outlier.consecutive5xx': 'errors until an instance is taken out',
  'outlier.intervalMs': 'interval of outlier detection',
  'outlier.baseEjectionMs': 'time that an instance is taken out',
  'outlier.maxEjectionPercent': 'instances that may be taken out',
  'health.intervalMs': 'interval of health checks',
  'health.timeoutMs': 'timeout of health checks',
  'health.unhealthyThreshold': 'failed checks until unhealthy',
  'health.healthyThreshold': 'passed checks until healthy',
  demand: 'expected demand',
  'demand.quantile': 'quantile of the demand',
  'demand.trust': 'trust in the forecast',
  arrivingRps: 'what our proxies ask for',
  perInstanceRps: 'what an instance takes',
  price: 'price of one more request',
};

const UNITS: Readonly<Record<string, string>> = {
  rps: ' rps',
  requests: '',
  percent: ' %',
  ms: ' ms',
  count: '',
  name: '',
};

/** One line for a person in a hurry: what changes, by how much and when, with the address in brackets. */
export function differenceInWords(difference: PlanDifference): string {
  const { kind, service, text = '', direction, changes } = difference;
  if (kind === 'warning') return `${direction === 'new' ? 'new warning' : 'warning gone'}: ${text}`;
  if (kind === 'windows')
    return `windows ${direction === 'new' ? 'added' : 'removed'}: ${changes.map((one) => clock(one.from)).join(', ')} UTC`;
  const change = greatest(changes);
  if (change === undefined) return `${service ?? 'plan'}: no difference`;
  if (kind === 'horizon') return `covers ${span(change.after)} instead of ${span(change.before)}`;
  return `${service ?? 'plan'}: ${what(difference, change)}${when(difference, change)}`;
}

/** What is told in a sentence of its own. */
const TOLD: Readonly<Partial<Record<DifferenceKind, (change: ValueChange) => string>>> = {
  service: presence,
  instances: counted,
  admission: admitted,
  weights: shares,
  failover: ({ before, after }) => `fails over to ${shownValue(after)} instead of ${shownValue(before)}`,
};

function what(difference: PlanDifference, change: ValueChange): string {
  const { kind, address = '', service = '', unit = '' } = difference;
  const name = address.slice(service.length + 1);
  const told = TOLD[kind];
  if (told !== undefined) return told(change);
  if (name === 'endpoints') return readdressed(change);
  if (name === 'rateLimit.enforcedPercent') return `${enforced(change)} (${address})`;
  return `${nameOf(name)} ${moved(change, unit)} (${address})`;
}

function nameOf(name: string): string {
  if (name.startsWith('calls.')) return `calls to ${name.slice('calls.'.length)} per request`;
  if (name.startsWith('bounds.')) return `range of ${nameOf(name.slice('bounds.'.length))}`;
  return NAMES[name] ?? name;
}

function presence({ before, after }: ValueChange): string {
  if (after === undefined) return `is no longer planned for (${instances(before)})`;
  return `is planned for anew, with ${instances(after)}`;
}

function instances(count: PlanValue | undefined): string {
  return `${shownValue(count)} ${count === 1 ? 'instance' : 'instances'}`;
}

function counted({ before, after }: ValueChange): string {
  const by = Math.abs(Number(after) - Number(before));
  const more = Number(after) > Number(before) ? 'more' : 'fewer';
  return `${instances(by).replace(' ', ` ${more} `)}, ${shownValue(before)} → ${shownValue(after)}${percent(before, after)}`;
}

function admitted({ before, after }: ValueChange): string {
  const share = (value: PlanValue | undefined): string =>
    value === undefined || value === 1 ? 'all' : `${shownNumber(Number(value) * 100)} %`;
  const [was, is] = [share(before), share(after)];
  if (is === 'all') return `lets in all requests again (was ${was})`;
  return `sheds ${shownNumber((1 - Number(after)) * 100)} % of its requests: lets in ${is} instead of ${was}`;
}

function shares(change: ValueChange): string {
  const { before = {}, after = {} } = change;
  const [was, is] = [before, after].map((one) => (typeof one === 'object' ? one : {}));
  const regions = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])];
  const moves = regions
    .filter((region) => (was?.[region] ?? 0) !== (is?.[region] ?? 0))
    .map((region) => `${region} ${shownNumber(was?.[region] ?? 0)} → ${shownNumber(is?.[region] ?? 0)} %`);
  return `${shownNumber(moveOf(change) * 100)} % of requests move: ${moves.join(', ')}`;
}

function enforced({ before, after }: ValueChange): string {
  if (Number(before) === 0)
    return `rate limit begins to refuse, for ${shownValue(after)} % of what is above it (only counted so far)`;
  if (Number(after) === 0) return 'rate limit refuses nothing any more and only counts';
  return `rate limit refuses ${shownValue(after)} % of what is above it instead of ${shownValue(before)} %`;
}

/** So many addresses are named; of a larger move the rest is counted. */
const NAMED_ADDRESSES = 3;

function readdressed({ before, after }: ValueChange): string {
  const list = (value: PlanValue | undefined): string[] => (value === undefined ? [] : String(value).split(', '));
  const only = (some: readonly string[], others: readonly string[]): string => {
    const left = some.filter((one) => one !== '' && !others.includes(one));
    const rest = left.length > NAMED_ADDRESSES ? ` and ${left.length - NAMED_ADDRESSES} more` : '';
    return left.length === 0 ? 'none' : `${left.slice(0, NAMED_ADDRESSES).join(', ')}${rest}`;
  };
  const [was, is] = [list(before), list(after)];
  return `the same number of instances at other addresses: new ${only(is, was)}; gone ${only(was, is)}`;
}

function moved({ before, after }: ValueChange, unit: string): string {
  const shown = (value: PlanValue | undefined): string => `${shownValue(value)}${UNITS[unit] ?? ''}`;
  if (before === undefined) return `is new: ${shown(after)}`;
  if (after === undefined) return `is gone (was ${shown(before)})`;
  if (typeof before !== 'number' || typeof after !== 'number')
    return `changes from ${shown(before)} to ${shown(after)}`;
  const verb = after > before ? 'raised' : 'lowered';
  return `${verb} from ${shown(before)} to ${shown(after)}${percent(before, after)}`;
}

function percent(before: PlanValue | undefined, after: PlanValue | undefined): string {
  const [was, is] = [Number(before), Number(after)];
  if (was === 0) return '';
  const by = (Math.abs(is - was) / Math.abs(was)) * 100;
  const rounded = by < 10 ? oneDecimal(by) : Math.round(by);
  return rounded === 0 ? '' : ` (${is > was ? '+' : '−'}${rounded} %)`;
}

/** Nothing when the change holds all the time; of several changes, how many there are and when the greatest is. */
function when({ allTheTime, changes, direction }: PlanDifference, change: ValueChange): string {
  if (allTheTime) return '';
  const time = `${clock(change.from)} – ${sameDay(change) ? clock(change.to).slice(11) : clock(change.to)} UTC`;
  if (changes.length === 1) return `, ${time}`;
  const mixed = direction === 'both' ? ', up and down' : '';
  return `, ${time}; at ${changes.length} times in all${mixed}, this is the greatest`;
}

function greatest(changes: readonly ValueChange[]): ValueChange | undefined {
  return changes.reduce<ValueChange | undefined>(
    (best, change) => (best === undefined || moveOf(change) > moveOf(best) ? change : best),
    undefined,
  );
}

function span(value: PlanValue | undefined): string {
  const [from = '', to = ''] = String(value ?? '').split('/');
  return `${clock(from)} – ${clock(to)} UTC`;
}

function sameDay({ from, to }: ValueChange): boolean {
  return from.slice(0, 10) === to.slice(0, 10);
}

/** `2026-03-01T18:00:00.000Z` → `2026-03-01 18:00`; seconds where there are any. */
function clock(instant: string): string {
  return instant
    .replace('T', ' ')
    .replace(/(\.0+)?Z$/, '')
    .replace(/^(.{16}):00$/, '$1');
}
