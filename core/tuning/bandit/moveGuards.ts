import type { Trust } from '../../spec/forecast.js';
import { BUSY_FROM } from '../load.js';
import type { Move, TunedSettings } from './coefficients.js';

/** All that decides whether a move may be tried. Settings are per proxy. */
export interface MoveContext {
  service: string;
  move: Move;
  current: TunedSettings;
  /** After the move. */
  next: TunedSettings;
  /** Nothing moves any more, and what was moved goes back: an operator's switch. */
  isKilled: boolean;
  isFrozen: boolean;
  /** Several regress together. */
  isBraked: boolean;
  /** Fields that a person has set (`rateLimit.rps`), with who. */
  overrides: Readonly<Partial<Record<keyof TunedSettings, string>>>;
  /** Why the observation is no ground for a change; `null`: it is one. */
  doubt: string | null;
  requests: number;
  fewestRequests: number;
  trust: Trust;
  /** Of the whole region; `null`: none. */
  forecastRps: number | null;
  proxies: number;
  /** Services with a change that has no verdict yet. */
  inFlight: readonly string[];
  /** Callers and callees. */
  neighbours: readonly string[];
  /** In the tick: requests that the limit of the move's family refused; that the service failed or answered too late. */
  refused: number;
  failed: number;
  /** Of the ready instances' workers, 0–1. */
  utilisation: number;
  /** Reward lost of what was offered, 0–1: what a move could win at most. */
  missedShare: number;
}

/** A sentence why not; `null`: it may. */
export type MoveGuard = (context: MoveContext) => string | null;

/** Less than this is not worth a change. */
const WORTH_TRYING = 0.002;

/** In the order in which they are asked. Bounds and neighbours need none: `moved` and `settingsFor` cannot leave them. */
export const MOVE_GUARDS = {
  killSwitch: ({ isKilled }) => (isKilled ? 'the tuner is switched off' : null),
  freeze: ({ isFrozen }) => (isFrozen ? 'the region is frozen' : null),
  brake: ({ isBraked }) => (isBraked ? 'several neighbourhoods or regions regress together' : null),
  override: ({ current, next, overrides }) => {
    const field = changedFields(current, next).find((name) => overrides[name] !== undefined);
    return field === undefined ? null : `${overrides[field] ?? ''} has set ${field} by hand`;
  },
  evidence: ({ doubt }) => doubt,
  traffic: ({ requests, fewestRequests }) =>
    requests >= fewestRequests ? null : `${requests} requests in the tick, ${fewestRequests} are needed`,
  trust: ({ trust, current, next }) => {
    if (trust === 'none') return 'the forecast has earned no trust';
    return trust === 'low' && lowers(current, next) ? 'trust in the forecast is low, so nothing is lowered' : null;
  },
  neighbourhood: ({ service, neighbours, inFlight }) => {
    const busy = inFlight.find((name) => name === service || neighbours.includes(name));
    return busy === undefined ? null : `a change of ${busy} has no verdict yet`;
  },
  nothingToWin: ({ missedShare }) =>
    missedShare >= WORTH_TRYING ? null : 'hardly anything is lost that a move could win',
  effect: ({ current, next }) => (changedFields(current, next).length > 0 ? null : 'the bounds leave no room to move'),
  binds: ({ current, next, refused, failed, utilisation }) => {
    if (lowers(current, next)) {
      if (utilisation < BUSY_FROM) return 'its instances have time to spare: what fails there, others fail';
      return failed > 0 ? null : 'nothing was late or failed that a lower limit could save';
    }
    return refused > 0 ? null : 'the limit refused nothing that a higher one could let in';
  },
  forecastFloor: ({ current, next, forecastRps, proxies }) => {
    if (next['rateLimit.rps'] >= current['rateLimit.rps']) return null;
    if (forecastRps === null) return 'there is no forecast to stay above';
    const least = forecastRps / proxies;
    return next['rateLimit.rps'] >= least ? null : `the forecast needs ${least.toFixed(1)} rps at each proxy`;
  },
} as const satisfies Readonly<Record<string, MoveGuard>>;
export type MoveGuardName = keyof typeof MOVE_GUARDS;

/** The first guard that refuses, or `null`. */
export function refusal(context: MoveContext): { guard: MoveGuardName; reason: string } | null {
  for (const [guard, ask] of Object.entries(MOVE_GUARDS) as [MoveGuardName, MoveGuard][]) {
    const reason = ask(context);
    if (reason !== null) return { guard, reason };
  }
  return null;
}

function changedFields(current: TunedSettings, next: TunedSettings): (keyof TunedSettings)[] {
  return (Object.keys(next) as (keyof TunedSettings)[]).filter((name) => next[name] !== current[name]);
}

function lowers(current: TunedSettings, next: TunedSettings): boolean {
  return changedFields(current, next).some((name) => next[name] < current[name]);
}
