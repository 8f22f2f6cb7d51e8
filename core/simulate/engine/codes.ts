/** How a request or an attempt ended. Those from `RATE_LIMIT` to `CONTROLLER` are refusals. */
export const OK = 0;
export const FAILED = 1;
export const TIMED_OUT = 2;
export const RATE_LIMIT = 3;
export const BREAKER = 4;
export const INBOUND = 5;
export const INBOUND_RETRY = 6;
export const QUEUE_FULL = 7;
export const NO_HEALTHY_HOST = 8;
export const CONTROLLER = 9;
export const OUTCOMES = 10;

/** Further counters of a place or an entry, after one for each outcome. */
export const OFFERED = 10;
export const ADMITTED = 11;
export const RETRIES = 12;
export const RETRY_BUDGET = 13;
export const WITHIN_DEADLINE = 14;
export const EGRESS = 15;
export const RATE_LIMIT_WOULD = 16;
export const EJECTIONS = 17;
export const COUNTERS = 18;

/** What happens: an event is `number × 32 + kind`. */
export const ARRIVAL = 0;
export const REACH = 1;
export const WORKED = 2;
export const ANSWER = 3;
export const LANE = 4;
export const RETRY = 5;
export const HEALTH = 6;
export const OUTLIER = 7;
export const WINDOW = 8;
export const CONTROL = 9;
export const FAULT = 10;
export const READY = 11;
export const CONNECTED = 13;
/** Of an endpoint that is out of rotation. */
export const PROBE = 14;
/** At once, from the ring: a call begins at its proxy; an attempt's calls have ended. */
export const BEGIN = 15;
export const CALLS_DONE = 16;

export function event(kind: number, number: number): number {
  return number * 32 + kind;
}

/** What a proxy may ask for again (`TwinPlace.retryOn`). */
export const RETRY_CONNECT = 1;
export const RETRY_FAILURE = 2;
export const RETRY_OVERLOAD = 4;
export const RETRY_PER_TRY = 8;
