import type { TwinAction, TwinControl } from '../../core/simulate/control.js';
import type { TwinModel } from '../../core/simulate/model.js';
import type { TwinPolicy } from '../../core/simulate/policy.js';

/** A setting moved away from what the plan says, as seen from outside the policy. */
export interface Move {
  service: string;
  field: string;
  /** The proxies or instances that it was moved at; empty: all. */
  scope: string;
  fromMs: number;
  /** When it was as planned again; absent: it stayed. */
  untilMs?: number;
}

/** The same policy, with its moves written down from its actions: it need not say anything about itself. */
export function recorded(policy: TwinPolicy): { policy: TwinPolicy; moves: () => readonly Move[] } {
  let moves: Move[] = [];
  const create: TwinPolicy['create'] = (input) => {
    moves = [];
    const run = policy.create(input);
    const { control } = run;
    if (control === undefined) return run;
    const record = recorder(run.model, moves);
    const watched: TwinControl = {
      intervalMs: control.intervalMs,
      onTick: (view) => {
        const actions = control.onTick(view);
        for (const action of actions) record(action, view.nowMs);
        return actions;
      },
    };
    return { ...run, control: watched };
  };
  return { policy: { ...policy, create }, moves: () => moves };
}

function recorder(model: TwinModel, moves: Move[]): (action: TwinAction, nowMs: number) => void {
  const own = model.regions[0]?.name ?? '';
  const open = new Map<string, Move>();
  return (action, nowMs) => {
    const { service, region = own, settings = {} } = action;
    const planned = model.services.find(({ name }) => name === service)?.places[region]?.settings;
    for (const [field, value] of Object.entries(settings)) {
      const scope = scopeOf(action);
      const key = `${region} ${service} ${field}`;
      const isPlanned = planned?.[field as keyof typeof planned] === value;
      for (const [openKey, move] of open) {
        const isCovered = scope === '' || move.scope === scope;
        if (!openKey.startsWith(`${key} `) || !isCovered || !isPlanned) continue;
        move.untilMs = nowMs;
        open.delete(openKey);
      }
      if (isPlanned || open.has(`${key} ${scope}`)) continue;
      const move: Move = { service, field, scope, fromMs: nowMs };
      open.set(`${key} ${scope}`, move);
      moves.push(move);
    }
  };
}

function scopeOf({ proxies, instances }: TwinAction): string {
  if (proxies !== undefined) return `proxies ${proxies.join(',')}`;
  return instances === undefined ? '' : `instances ${instances.join(',')}`;
}

export interface HarmfulMove extends Move {
  /** First interval of the judge in which the run with it was worse than the one without, by more than the threshold. */
  harmFromMs: number;
  /** Ticks from the end of that interval until it was as planned again; Infinity: never. */
  ticksToReverse: number;
}

export interface HarmInput {
  moves: readonly Move[];
  /** Reward of each window with the policy and without, by the same seed. */
  on: readonly number[];
  off: readonly number[];
  windowMs: number;
  tickMs: number;
  /** Reward lost in a window by more than this is harm. */
  threshold: number;
}

/**
 * Moves in whose time a whole window was worse than without the policy. Several at once are all held responsible: more
 * are called harmful than are.
 */
export function harmfulMoves(input: HarmInput): HarmfulMove[] {
  const { moves, on, off, windowMs, tickMs, threshold } = input;
  return moves.flatMap((move): HarmfulMove[] => {
    const until = move.untilMs ?? Infinity;
    const window = on.findIndex(
      (value, i) => i * windowMs >= move.fromMs && (i + 1) * windowMs <= until && (off[i] ?? 0) - value > threshold,
    );
    if (window < 0) return [];
    const harmEndMs = (window + 1) * windowMs;
    const ticksToReverse = Math.max(0, Math.ceil((until - harmEndMs) / tickMs));
    return [{ ...move, harmFromMs: window * windowMs, ticksToReverse }];
  });
}
