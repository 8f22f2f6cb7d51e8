import { factorOf } from '../tuning/bandit/coefficients.js';
import { freshState, warmStarted } from '../tuning/bandit/state.js';
import type { TunerState } from '../tuning/bandit/state.js';
import type { TwinControl } from './control.js';
import { param } from './policy.js';
import type { PolicyInput, PolicyParams, PolicyRun, TwinPolicy } from './policy.js';
import { Edge } from './tuner/edge.js';
import { knowledgeOf } from './tuner/knowledge.js';
import { Scaling } from './tuner/scaling.js';
import { Spill } from './tuner/spill.js';
import { Tuning } from './tuner/tuning.js';
import type { TunerDecision, TuningOptions } from './tuner/tuning.js';

export interface TunerOptions {
  /** What was learned before; absent: nothing. */
  state?: TunerState;
  /** Given what is known after each tick; the last is what the run has taught. */
  learned?: (state: TunerState) => void;
  /** Given each decision, with the propensities of all that was allowed. */
  decided?: (decision: TunerDecision) => void;
  /** Ablation: the context knows no forecast. */
  withoutForecast?: boolean;
  /** Ablation: `state` is not used. */
  withoutWarmStart?: boolean;
  /** Ablation: nothing but the plan's bounds limits a move, and nothing is taken back in haste. */
  withoutGuards?: boolean;
  /** Ablation: every change is judged by before and after. */
  withoutSplit?: boolean;
}

/** Our plan's settings, weights and instances, and nothing that acts. */
export function planOnlyPolicy(): TwinPolicy {
  return {
    name: 'psmg-plan',
    source: 'docs/routing.md and docs/capacity.md: the settings of the plan',
    grid: [{}],
    create: ({ model }): PolicyRun => ({ model }),
  };
}

/**
 * Our plan's settings under the tuner: coefficients are moved by the tick, each move judged on half of the callee's
 * instances where that can be; requests are let in at the edge by shadow prices, at once; what exceeds ready capacity
 * goes to neighbours; where `scales`, instances follow what enters, never below the plan's.
 */
export function tunerPolicy(options: TunerOptions = {}): TwinPolicy {
  return {
    name: 'psmg',
    source: 'docs/decisions/0026-the-tuner.md',
    grid: [
      set({}),
      set({ slackShare: 0.12 }),
      set({ slackShare: 0.35 }),
      set({ scales: 1 }),
      set({ intervalMs: 1000 }),
      set({ scales: 1, intervalMs: 1000 }),
    ],
    create: (input) => created(input, options),
  };
}

/**
 * `slackShare`: wait at which nobody is let in any more, of the deadline. `learns`, `limits`, `spills` and `scales`: 0
 * leaves coefficients, edge, weights or instances as they are.
 */
function set(change: PolicyParams): PolicyParams {
  return { intervalMs: 2000, slackShare: 0.2, learns: 1, limits: 1, scales: 0, spills: 1, ...change };
}

function created({ model, params, forecast, seed }: PolicyInput, options: TunerOptions): PolicyRun {
  const knowledge = knowledgeOf(model);
  const intervalMs = param(params, 'intervalMs');
  const edge = new Edge(knowledge, param(params, 'slackShare'));
  const scaling = new Scaling(knowledge, forecast);
  const spill = new Spill(knowledge);
  const tuning = new Tuning(knowledge, { ...flags(options), state: startOf(options, seed), forecast, intervalMs });
  const [learns, limits, scales, spills] = ['learns', 'limits', 'scales', 'spills'].map(
    (name) => param(params, name) > 0,
  );
  const control: TwinControl = {
    intervalMs,
    onTick: (view) => {
      const moves = learns === true ? tuning.onTick(view, edge.takeRefused()) : [];
      options.learned?.(tuning.state);
      for (const decision of tuning.takeDecisions()) options.decided?.(decision);
      const away = spills === true ? spill.onTick(view, intervalMs) : [];
      const margin = (service: string): number =>
        factorOf('limitMargin', 'normal', tuning.coefficients(service).limitMargin) ?? 1;
      if (limits === true) edge.see(view.instances, intervalMs, margin, (service) => spill.stays(service));
      return [...moves, ...away, ...(scales === true ? scaling.onTick(view, intervalMs) : [])];
    },
  };
  return { model, control, ...(limits === true ? { admission: edge.factory } : {}) };
}

function startOf({ state, withoutWarmStart = false }: TunerOptions, seed: number): TunerState {
  return state === undefined || withoutWarmStart ? freshState(seed) : warmStarted(state, seed);
}

function flags({
  withoutForecast = false,
  withoutGuards = false,
  withoutSplit = false,
}: TunerOptions): Pick<TuningOptions, 'withoutForecast' | 'withoutGuards' | 'withoutSplit'> {
  return { withoutForecast, withoutGuards, withoutSplit };
}
