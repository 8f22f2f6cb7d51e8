/**
 * What a region earned in an interval, counted where users enter. One currency throughout: that of the region file's
 * `costs` and `valuePerRequest`.
 */
export interface RewardInput {
  /** Length of the interval. */
  seconds: number;
  /** Every route of every region that a change can reach, ours or not. */
  routes: readonly RouteCounts[];
  capacity: readonly CapacityUse[];
  egress: readonly EgressUse[];
  /** Settings written, and what one write is held to cost: it stops us from moving for nothing. */
  changes: { count: number; costPerChange: number };
}

/** Users' requests by one entry route; a request counts once however often it was tried. */
export interface RouteCounts {
  region: string;
  route: string;
  /** That came, refused ones included. */
  offered: number;
  /** Answered with success within the route's deadline. */
  withinDeadline: number;
  /** Currency of one answered in time. */
  valuePerRequest: number;
  /** Calls that they led to, repeats included. No part of the reward: kept apart, so that nobody counts it as offered. */
  attempts?: number;
}

export interface CapacityUse {
  region: string;
  /** Starting and ready instances over time. */
  instanceHours: number;
  costPerInstanceHour: number;
}

export interface EgressUse {
  gigabytes: number;
  costPerGigabyte: number;
}

/** Currency per second, but for `share`. */
export interface Reward {
  /** earned − capacity − egress − change */
  perSecond: number;
  earnedPerSecond: number;
  /** Worth of what was offered and not answered in time: refused, failed and late alike. */
  missedPerSecond: number;
  capacityPerSecond: number;
  egressPerSecond: number;
  changePerSecond: number;
  /**
   * `perSecond` over the worth of all that was offered, at most 1; `null` where nothing was. What is compared: it does
   * not move with the demand, and it falls with each request that is refused.
   */
  share: number | null;
}

/** Throws a RangeError where the interval has no length. */
export function reward(input: RewardInput): Reward {
  const { seconds } = input;
  if (!(seconds > 0)) throw new RangeError(`an interval of ${seconds} s`);
  let [earned, offered] = [0, 0];
  for (const route of input.routes) {
    earned += goodOf(route) * route.valuePerRequest;
    offered += Math.max(0, route.offered) * route.valuePerRequest;
  }
  const capacity = sum(input.capacity.map((use) => use.instanceHours * use.costPerInstanceHour));
  const egress = sum(input.egress.map((use) => use.gigabytes * use.costPerGigabyte));
  const change = input.changes.count * input.changes.costPerChange;
  const net = earned - capacity - egress - change;
  return {
    perSecond: net / seconds,
    earnedPerSecond: earned / seconds,
    missedPerSecond: (offered - earned) / seconds,
    capacityPerSecond: capacity / seconds,
    egressPerSecond: egress / seconds,
    changePerSecond: change / seconds,
    share: offered > 0 ? net / offered : null,
  };
}

/** More answers than requests are repeats of the same ones. */
function goodOf({ offered, withinDeadline }: RouteCounts): number {
  return Math.max(0, Math.min(offered, withinDeadline));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
