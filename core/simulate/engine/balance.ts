import { OVERPROVISIONING } from '../../plan/limits.js';
import { PURPOSE, mix, uniform } from './hash.js';
import { maglevTable, ringTable } from './hashTables.js';
import type { WeightedHost } from './hashTables.js';
import type { View } from './view.js';

/** Envoy's `host_selection_retry_max_attempts`, as rendered. */
const REPICKS = 32;
/** Envoy's `min_weight_percent` of slow start. */
const LEAST_SLOW = 0.1;

const { floor } = Math;

/**
 * A host for a request at `now`, −1 where none is healthy. First a priority by its load, then a locality by its
 * weight, then a host by the policy, each as Envoy does.
 */
export function pick(view: View, key: number, user: number, now: number): number {
  if (view.only >= 0) return withinLocality(view, view.only, key, user, now);
  const priority = priorityByLoad(view.load, uniform(key, PURPOSE.priority) * 100);
  return priority < 0 ? -1 : withinPriority(view, priority, key, user, now);
}

/**
 * The host of a retry: of a priority that was not tried while there is one (`previous_priorities`, update frequency 1),
 * and there one that was not tried, as far as 32 picks find one (`previous_hosts`).
 */
export function pickAgain(
  view: View,
  key: number,
  user: number,
  now: number,
  triedPriorities: number,
  wasTried: (host: number) => boolean,
): number {
  const load = loadWithout(view.available, triedPriorities) ?? view.load;
  let host = -1;
  for (let i = 0; i <= REPICKS; i++) {
    const draw = mix(key, PURPOSE.balance + 256 + i);
    const priority = priorityByLoad(load, uniform(draw, PURPOSE.priority) * 100);
    if (priority < 0) return -1;
    host = withinPriority(view, priority, draw, user, now);
    if (!wasTried(host)) return host;
  }
  return host;
}

function priorityByLoad(load: Float64Array, percent: number): number {
  let sum = 0;
  for (let i = 0; i < load.length; i++) {
    sum += load[i]!;
    if (percent < sum) return i;
  }
  return -1;
}

/** Smooth weighted turns: over any stretch each locality has its share to within one request, as Envoy's scheduler. */
function withinPriority(view: View, priority: number, key: number, user: number, now: number): number {
  if (isHashing(view)) return byTable(view, priority, key, user);
  const { localityPriority, localityWeight, localityCredit } = view;
  let best = -1;
  let total = 0;
  for (let i = 0; i < localityPriority.length; i++) {
    if (localityPriority[i] !== priority || localityWeight[i] === 0) continue;
    total += localityWeight[i]!;
    localityCredit[i]! += localityWeight[i]!;
    if (best < 0 || localityCredit[i]! > localityCredit[best]!) best = i;
  }
  if (best < 0) return -1;
  localityCredit[best]! -= total;
  return withinLocality(view, best, key, user, now);
}

function withinLocality(view: View, locality: number, key: number, user: number, now: number): number {
  const hosts = view.usable[locality]!;
  const count = hosts.length;
  if (isHashing(view)) return byTable(view, view.localityPriority[locality]!, key, user);
  if (now < view.slowUntil && view.policy !== 'RANDOM') return slowly(view, hosts, key, now);
  if (view.policy === 'LEAST_REQUEST') {
    // Two picks with replacement; of equals the first.
    const one = hosts[floor(uniform(key, PURPOSE.balance) * count)]!;
    const other = hosts[floor(uniform(key, PURPOSE.balanceOther) * count)]!;
    return view.active[other]! < view.active[one]! ? other : one;
  }
  if (view.policy === 'ROUND_ROBIN') {
    const turn = view.rotation[locality]! % count;
    view.rotation[locality] = turn + 1;
    return hosts[turn]!;
  }
  return hosts[floor(uniform(key, PURPOSE.balance) * count)]!;
}

/**
 * While a host is new, hosts are drawn by weight: of a new one by how much of slow start has passed (aggression 1, at
 * least 10 %), and under LEAST_REQUEST over its requests in flight and one. Envoy takes them by earliest deadline, which
 * has the same shares in the mean.
 */
function slowly(view: View, hosts: Int32Array, key: number, now: number): number {
  const least = view.policy === 'LEAST_REQUEST';
  let total = 0;
  for (const host of hosts) total += slowWeight(view, host, now, least);
  let left = uniform(key, PURPOSE.balance) * total;
  for (const host of hosts) {
    left -= slowWeight(view, host, now, least);
    if (left < 0) return host;
  }
  return hosts[hosts.length - 1]!;
}

function slowWeight(view: View, host: number, now: number, least: boolean): number {
  const passed = (now - view.startedAt[host]!) / view.slowStartMs;
  const weight = passed >= 1 ? 1 : passed < LEAST_SLOW ? LEAST_SLOW : passed;
  return least ? weight / (view.active[host]! + 1) : weight;
}

function isHashing(view: View): boolean {
  return view.policy === 'RING_HASH' || view.policy === 'MAGLEV';
}

function byTable(view: View, priority: number, key: number, user: number): number {
  const table = (view.tables[priority] ??= makeTable(view, priority));
  if (table.length === 0) return -1;
  const hash = view.place.followsUser ? user : key;
  return table[floor(uniform(hash, PURPOSE.ring) * table.length)]!;
}

function makeTable(view: View, priority: number): Int32Array {
  const hosts: WeightedHost[] = [];
  let total = 0;
  view.usable.forEach((usable, i) => {
    if (view.localityPriority[i] !== priority) return;
    total += view.localityWeight[i]!;
    for (const host of usable) hosts.push({ host, share: view.localityWeight[i]! / usable.length });
  });
  if (hosts.length === 0) return new Int32Array(0);
  const shares = hosts.map(({ host, share }) => ({ host, share: share / total }));
  return view.policy === 'RING_HASH' ? ringTable(shares, view.place.number) : maglevTable(shares, view.place.number);
}

/** Anew who is asked, after health, membership, weights or ejections of a view changed. */
export function refresh(view: View, now: number): void {
  const { localities } = view.place;
  const priorities = localities.reduce((most, { priority }) => Math.max(most, priority + 1), 0);
  const total = new Float64Array(priorities);
  const healthy = new Float64Array(priorities);
  const usable = localities.map(({ hosts }) => hosts.filter((host) => view.isUsable(host)));
  localities.forEach(({ priority, hosts }, i) => {
    total[priority]! += hosts.length;
    healthy[priority]! += usable[i]!.length;
  });
  const panics = total.map((hosts, p) => ((healthy[p]! / hosts) * 100 < view.place.panicPercent ? 1 : 0));
  const asked = localities.map(({ priority, hosts }, i) => Int32Array.from(panics[priority] ? hosts : usable[i]!));
  const sameShape = asked.length === view.usable.length;
  view.usable = asked;
  view.localityPriority = Int32Array.from(localities, ({ priority }) => priority);
  view.localityWeight = Float64Array.from(localities, ({ weight, hosts, priority }, i) => {
    return panics[priority] ? weight : weight * Math.min(1, (OVERPROVISIONING * usable[i]!.length) / hosts.length);
  });
  if (!sameShape) {
    view.localityCredit = new Float64Array(localities.length);
    view.rotation = Int32Array.from(localities, (_, i) =>
      floor(uniform(mix(view.number, i), PURPOSE.rotation) * 65_536),
    );
  }
  view.available = total.map((hosts, p) => (hosts === 0 ? 0 : Math.min(100, floor((140 * healthy[p]!) / hosts))));
  const anyPanic = panics.findIndex((panic) => panic === 1);
  view.load = loadWithout(view.available, 0) ?? new Float64Array(priorities);
  if (anyPanic >= 0 && view.available.every((part) => part === 0)) view.load[anyPanic] = 100;
  view.tables = [];
  view.only = onlyLocality(view);
  view.slowUntil = slowUntil(view, now);
}

/** Envoy's loads: each priority as far as it is available, in order, scaled to 100; `undefined` where none is. */
function loadWithout(available: Float64Array, excluded: number): Float64Array | undefined {
  const rest = available.map((part, p) => ((excluded >> p) & 1 ? 0 : part));
  const sum = Math.min(
    100,
    rest.reduce((all, part) => all + part, 0),
  );
  if (sum === 0) return undefined;
  let left = 100;
  const load = rest.map((part) => {
    const share = Math.min(left, floor((part * 100) / sum));
    left -= share;
    return share;
  });
  // What rounding left goes to the first that is available.
  load[load.findIndex((part) => part > 0)]! += left;
  return load;
}

function onlyLocality(view: View): number {
  let only = -1;
  for (let i = 0; i < view.usable.length; i++) {
    if (view.load[view.localityPriority[i]!] === 0 || view.localityWeight[i] === 0) continue;
    if (only >= 0) return -1;
    only = i;
  }
  return only;
}

function slowUntil(view: View, now: number): number {
  if (view.slowStartMs === 0) return -Infinity;
  let until = -Infinity;
  for (const hosts of view.usable)
    for (const host of hosts) until = Math.max(until, view.startedAt[host]! + view.slowStartMs);
  return until > now ? until : -Infinity;
}
