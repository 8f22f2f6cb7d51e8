import { choose } from '../../tuning/bandit/choose.js';
import type { Choice } from '../../tuning/bandit/choose.js';
import { moved, neighbours, PLANNED, settingsFor } from '../../tuning/bandit/coefficients.js';
import type { Coefficients, Move } from '../../tuning/bandit/coefficients.js';
import { affordable, heldTick, triedTick } from '../../tuning/bandit/conservative.js';
import { contextOf, featuresOf } from '../../tuning/bandit/context.js';
import type { Context, DecisionInput } from '../../tuning/bandit/context.js';
import { Generator } from '../../tuning/bandit/generator.js';
import { brakes, HARM_RULES, newWatch, watched, watchTick } from '../../tuning/bandit/harm.js';
import type { Seen, Watch } from '../../tuning/bandit/harm.js';
import { refusal } from '../../tuning/bandit/moveGuards.js';
import { learn } from '../../tuning/bandit/posterior.js';
import type { TunerState } from '../../tuning/bandit/state.js';
import { halvesOf } from '../../tuning/split/halves.js';
import { SPLIT_RULES } from '../../tuning/split/judgeSplit.js';
import type { SplitRules, SplitVerdict } from '../../tuning/split/judgeSplit.js';
import { newPair } from '../../tuning/split/switchback.js';
import type { TwinAction, TwinView } from '../control.js';
import type { TwinDemand } from '../model.js';
import { forecastAt, plannedOf } from './knowledge.js';
import type { Knowledge, KnownService } from './knowledge.js';
import { decisionInput, lossesOf, readyHere, refusedIn, shareOf } from './reading.js';
import type { Losses } from './reading.js';
import { EXPOSURE, judgeTick, opened, runsNow } from './trial.js';
import type { Method, OpenTrial } from './trial.js';

export interface TuningOptions {
  state: TunerState;
  forecast: TwinDemand | undefined;
  intervalMs: number;
  withoutForecast: boolean;
  withoutGuards: boolean;
  withoutSplit: boolean;
}

/** A decision as it is logged: what off-policy evaluation needs of it. */
export interface TunerDecision {
  nowMs: number;
  service: string;
  choice: Choice;
}

/** Of the incumbent's cumulative reward, what trying may cost. */
const ALPHA = 0.02;
const RULES: SplitRules = { ...SPLIT_RULES, fewestRequests: 30 };
/** Ticks that a change is compared with, and the last few of them that a brake looks at. */
const BEFORE_TICKS = 15;
const BRAKE_TICKS = 5;
/** So long a loss that would break the constraint stays unnoticed: harm is taken back within two, a lesser one within so many. */
const UNNOTICED_TICKS = 4;
/** Of an effect that a trial has hardly measured. */
const UNMEASURED_DEVIATION = 0.05;
/** Moves of settings only: weights are the solver's, which the twin does not run again. */
const IN_THE_TWIN = (move: Move): boolean => move.family !== 'spill';

interface Adopted {
  open: OpenTrial;
  watch: Watch;
}

/** The tuner of one region in the twin: at most one change without a verdict in a neighbourhood of calls. */
export class Tuning {
  state: TunerState;
  private decisions: TunerDecision[] = [];
  private readonly knowledge: Knowledge;
  private readonly options: TuningOptions;
  private readonly random: Generator;
  private readonly rules: SplitRules;
  private trials: OpenTrial[] = [];
  private adopted: Adopted[] = [];
  private recent: Seen[] = [];
  private brakedTicks = 0;

  constructor(knowledge: Knowledge, options: TuningOptions) {
    this.knowledge = knowledge;
    this.options = options;
    this.state = options.state;
    this.random = new Generator(options.state.generator);
    this.rules = options.withoutGuards ? { ...RULES, harm: Infinity } : RULES;
  }

  /** What runs of a service's coefficients: an edge that reckons with its margin asks. */
  coefficients(service: string): Coefficients {
    const open = this.trials.find((one) => one.service === service);
    return open === undefined ? this.settled(service) : runsNow(open);
  }

  /** Made since this was last asked. */
  takeDecisions(): readonly TunerDecision[] {
    const made = this.decisions;
    this.decisions = [];
    return made;
  }

  /** `refusedAtEdge`: in the tick, by the service that had no room. */
  onTick(view: TwinView, refusedAtEdge: ReadonlyMap<string, number>): TwinAction[] {
    const seen = shareOf(view, this.knowledge, this.options.intervalMs);
    if (seen === null) return [];
    this.state = { ...this.state, ledger: heldTick(this.state.ledger, seen.share) };
    const actions = [...this.watchAdopted(seen), ...this.judgeTrials(view, seen)];
    if (!this.options.withoutGuards) actions.push(...this.brake(seen));
    actions.push(...this.decide(view, seen, refusedAtEdge));
    this.recent = [...this.recent, seen].slice(-BEFORE_TICKS);
    this.state = { ...this.state, generator: this.random.state };
    return actions;
  }

  private settled(service: string): Coefficients {
    return this.state.rungs[service] ?? PLANNED;
  }

  private settle(service: string, coefficients: Coefficients): void {
    const { [service]: _, ...rest } = this.state.rungs;
    const isPlanned = Object.values(coefficients).every((rung) => rung === 0);
    this.state = { ...this.state, rungs: isPlanned ? rest : { ...rest, [service]: coefficients } };
  }

  private watchAdopted(seen: Seen): TwinAction[] {
    const kept: Adopted[] = [];
    const actions: TwinAction[] = [];
    for (const { open, watch } of this.adopted) {
      const next = watchTick(watch, seen, HARM_RULES);
      if (next.state === 'watch') kept.push({ open, watch: next.watch });
      if (next.state !== 'harm' && next.state !== 'worse') continue;
      this.settle(open.service, open.from);
      this.learned(open, seen.share - watch.before.mean, HARM_RULES.harm);
      actions.push(this.apply(open.service, open.from));
    }
    this.adopted = kept;
    return actions;
  }

  private judgeTrials(view: TwinView, { share }: Seen): TwinAction[] {
    const running: OpenTrial[] = [];
    const actions: TwinAction[] = [];
    for (const one of this.trials) {
      const { own, services } = this.knowledge;
      const deadlineMs = services.find(({ name }) => name === one.service)?.deadlineMs ?? Infinity;
      const seen = { view, share, own, deadlineMs, rules: this.rules, random: this.random };
      const { open, verdict } = judgeTick(one, seen);
      if (verdict.action === 'wait') {
        running.push(open);
        if (open.method.kind === 'turns') actions.push(this.apply(open.service, runsNow(open)));
        continue;
      }
      actions.push(this.end(open, verdict));
    }
    this.trials = running;
    return actions;
  }

  private end(open: OpenTrial, { action, interval, trial }: SplitVerdict): TwinAction {
    const { sequence } = trial;
    const effect = sequence.count > 0 ? sequence.sum / sequence.count : 0;
    const deviation = interval?.error ?? UNMEASURED_DEVIATION;
    if (sequence.count > 0) this.learned(open, effect, deviation);
    const lower = effect - deviation;
    const exposed = EXPOSURE[open.method.kind] * trial.ticks;
    this.state = { ...this.state, ledger: triedTick(this.state.ledger, lower, exposed) };
    if (action !== 'adopt') return this.apply(open.service, open.from);
    this.settle(open.service, open.to);
    if (!this.options.withoutGuards) this.adopted.push({ open, watch: newWatch(open.before) });
    return this.apply(open.service, open.to);
  }

  private learned({ move, features }: OpenTrial, effect: number, deviation: number): void {
    const own = learn(this.state.posteriors[move.family], features, effect, deviation);
    this.state = { ...this.state, posteriors: { ...this.state.posteriors, [move.family]: own } };
  }

  /** Several changes that lose together are stopped together, whatever each by itself would be judged. */
  private brake(seen: Seen): TwinAction[] {
    this.brakedTicks = Math.max(0, this.brakedTicks - 1);
    const before = watched(this.recent.slice(-BRAKE_TICKS));
    const comparable = seen.offeredRps <= 1.1 * before.offeredRps;
    const loss = comparable ? before.mean - seen.share : 0;
    const open = [...this.trials, ...this.adopted.map((one) => one.open)];
    if (
      !brakes(
        open.map(() => loss),
        HARM_RULES,
      )
    )
      return [];
    this.brakedTicks = HARM_RULES.brakeTicks;
    for (const { service, from } of open) this.settle(service, from);
    [this.trials, this.adopted] = [[], []];
    return open.map(({ service, from }) => this.apply(service, from));
  }

  /** Where most is refused first: a neighbourhood has room for one. */
  private decide(view: TwinView, seen: Seen, refusedAtEdge: ReadonlyMap<string, number>): TwinAction[] {
    const { own, services } = this.knowledge;
    const ranked = services
      .map((service) => ({ service, losses: lossesOf(view, own, service.name, refusedAtEdge.get(service.name) ?? 0) }))
      .sort((a, b) => refusedIn(b.losses) - refusedIn(a.losses));
    return ranked.flatMap(({ service, losses }): TwinAction[] => {
      const input = decisionInput(view, this.knowledge, service, this.options);
      const context = contextOf(input);
      if (context === null) return [];
      const moves = this.allowed(service, { input, nowMs: view.nowMs, losses, share: seen.share });
      if (moves.length === 0) return [];
      const choice = this.choose(service, context, moves);
      this.decisions.push({ nowMs: view.nowMs, service: service.name, choice });
      return choice.move === null ? [] : [this.start(view, service, context, choice.move)];
    });
  }

  private allowed(
    service: KnownService,
    { input, nowMs, losses, share }: { input: DecisionInput; nowMs: number; losses: Losses; share: number },
  ): Move[] {
    const rungs = this.settled(service.name);
    const planned = plannedOf(service);
    const inFlight = this.inFlight();
    const requests = (input.offeredRps ?? 0) * (this.options.intervalMs / 1000);
    const forecast = forecastAt(this.knowledge, this.options.forecast, service, nowMs);
    return neighbours(rungs, planned.criticality).filter((move) => {
      if (!IN_THE_TWIN(move)) return false;
      if (this.options.withoutGuards) return !this.trials.some((one) => one.service === service.name);
      const to = moved(rungs, planned.criticality, move)!;
      return (
        refusal({
          ...{ service: service.name, move, current: settingsFor(planned, rungs), next: settingsFor(planned, to) },
          ...{ isKilled: false, isFrozen: false, isBraked: this.brakedTicks > 0, overrides: {}, doubt: null },
          ...{ requests, fewestRequests: 2 * RULES.fewestRequests, trust: forecast === null ? 'low' : 'fair' },
          ...{ forecastRps: forecast, proxies: this.knowledge.model.regions[0]?.proxies ?? 1 },
          ...{ inFlight, neighbours: [...service.callers, ...service.callees], missedShare: 1 - share },
          ...{ refused: losses[move.family], failed: losses.failed, utilisation: input.utilisation ?? 0 },
        }) === null
      );
    });
  }

  private inFlight(): string[] {
    return [...this.trials.map(({ service }) => service), ...this.adopted.map(({ open }) => open.service)];
  }

  private choose(service: KnownService, context: Context, moves: readonly Move[]): Choice {
    const { posteriors, ledger } = this.state;
    const stake = { ticks: UNNOTICED_TICKS, exposure: EXPOSURE.split, alpha: ALPHA };
    return choose({
      ...{ posteriors, context, moves, rungs: this.settled(service.name), random: this.random },
      ...(this.options.withoutGuards ? {} : { may: (belief) => affordable(ledger, belief, stake) }),
    });
  }

  private start(view: TwinView, service: KnownService, context: Context, move: Move): TwinAction {
    const from = this.settled(service.name);
    const to = moved(from, plannedOf(service).criticality, move)!;
    const method = this.methodFor(view, service, move);
    const features = featuresOf(context, from[move.family], move);
    const before = watched(this.recent);
    const open = opened({ service: service.name, move, from, to, features, method, before });
    this.trials.push(open);
    if (method.kind !== 'split') return this.apply(service.name, runsNow(open));
    return { ...this.apply(service.name, to), instances: method.halves.candidate };
  }

  /** A door is a half's own; what a proxy lets in takes from the others' room, and can only take turns. */
  private methodFor(view: TwinView, service: KnownService, { family }: Move): Method {
    if (this.options.withoutSplit) return { kind: 'beforeAfter', before: watched(this.recent).mean };
    const ready = readyHere(view.instances, this.knowledge, service);
    const canSplit = family === 'concurrency' && service.place.behindInbound;
    const halves = canSplit
      ? halvesOf(
          ready.map(({ instance }) => instance),
          this.random,
        )
      : null;
    return halves === null ? { kind: 'turns', pair: newPair(this.random) } : { kind: 'split', halves };
  }

  private apply(name: string, coefficients: Coefficients): TwinAction {
    const service = this.knowledge.services.find((one) => one.name === name)!;
    return { service: name, settings: settingsFor(plannedOf(service), coefficients) };
  }
}
