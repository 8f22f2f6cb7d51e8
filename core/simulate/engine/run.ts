import type { TwinRun } from '../model.js';
import type { TwinResult, TwinWindow } from '../result.js';
import { onAnswer, onConnected, onLane, onRetry } from './attempts.js';
import { buildWorld, placeControllers } from './build.js';
import { begin, onArrival, scheduleArrival } from './calls.js';
import {
  ANSWER,
  ARRIVAL,
  BEGIN,
  CALLS_DONE,
  CONNECTED,
  CONTROL,
  FAULT,
  HEALTH,
  LANE,
  OUTLIER,
  PROBE,
  REACH,
  READY,
  RETRY,
  WINDOW,
  WORKED,
  event,
} from './codes.js';
import { Controlling } from './controlling.js';
import { faultSteps, onFault, scheduleFaults } from './faults.js';
import type { FaultStep } from './faults.js';
import { onHealth, onOutlierTick, onProbe } from './health.js';
import { QUANTILE_ERROR } from './histogram.js';
import { mark, placesOf, slice } from './measure.js';
import type { Mark } from './measure.js';
import { onReady, start } from './membership.js';
import { onCallsDone, onReach, onWorked } from './serving.js';
import type { World } from './world.js';

const { min } = Math;
const WINDOW_MS = 1000;

/** One run: the events of a world in order, and what was counted meanwhile. */
export class Run {
  readonly world: World;
  private readonly run: TwinRun;
  private readonly faults: readonly FaultStep[];
  private readonly controlling: Controlling | undefined;
  private readonly windows: TwinWindow[] = [];
  private readonly windowMs: number;
  private windowStart: Mark;
  private counted: Mark;

  constructor(run: TwinRun) {
    this.run = run;
    this.windowMs = run.windowMs ?? WINDOW_MS;
    const world = buildWorld(run.model, run.demand, run.seed);
    this.world = world;
    if (run.admission !== undefined) placeControllers(world, run.admission);
    if (run.control !== undefined) {
      this.controlling = new Controlling(world, run.control);
      world.isControlled = true;
      world.queue.push(run.control.intervalMs, event(CONTROL, 0));
    }
    this.faults = faultSteps(run.faults ?? []);
    scheduleFaults(world, this.faults);
    world.queue.push(this.windowMs, event(WINDOW, 0));
    for (const instance of world.instances) {
      if (instance.state === 'starting') start(world, world.places[instance.place]!, instance);
    }
    for (const entry of world.entries) if (entry.arrivals !== undefined) scheduleArrival(world, entry);
    this.windowStart = mark(world);
    this.counted = this.windowStart;
  }

  /** To the end of the run. */
  finish(): TwinResult {
    this.advance(this.run.durationMs);
    const { world, run } = this;
    world.now = run.durationMs;
    if (this.windows.length * this.windowMs < run.durationMs) this.closeWindow();
    return {
      seed: run.seed,
      durationMs: run.durationMs,
      warmUpMs: run.warmUpMs ?? 0,
      windowMs: this.windowMs,
      quantileError: QUANTILE_ERROR,
      events: world.events,
      serviceCalls: world.serviceCalls,
      totals: slice(world, this.counted, mark(world), 'total'),
      windows: this.windows,
    };
  }

  private advance(until: number): void {
    const { world } = this;
    const { queue, near, soon } = world;
    for (;;) {
      const time = queue.nextTime();
      const nearTime = near.nextTime();
      if (min(time, nearTime) > until) return;
      if (nearTime <= time) {
        world.now = nearTime;
        this.handle(near.shift());
      } else {
        world.now = time;
        this.handle(queue.pop());
      }
      while (soon.size > 0) this.handle(soon.shift());
    }
  }

  private handle(what: number): void {
    const { world } = this;
    const kind = what & 31;
    const number = what >> 5;
    world.events++;
    if (kind === WORKED) onWorked(world, number);
    else if (kind === REACH) onReach(world, number);
    else if (kind === ANSWER) onAnswer(world, number);
    else if (kind === BEGIN) begin(world, number);
    else if (kind === CALLS_DONE) onCallsDone(world, number);
    else if (kind === ARRIVAL) onArrival(world, world.entries[number]!);
    else if (kind === CONNECTED) onConnected(world, number);
    else if (kind === LANE) this.handleLane(number);
    else this.handleRare(kind, number);
  }

  private handleLane(number: number): void {
    const lane = this.world.lanes[number]!;
    onLane(this.world, lane);
    lane.isScheduled = lane.size > 0;
    if (lane.isScheduled) this.world.queue.push(lane.headTime(), event(LANE, number));
  }

  private handleRare(kind: number, number: number): void {
    const { world } = this;
    if (kind === RETRY) onRetry(world, number);
    else if (kind === HEALTH) onHealth(world, number);
    else if (kind === PROBE) onProbe(world, number);
    else if (kind === OUTLIER) onOutlierTick(world, number);
    else if (kind === READY) onReady(world, world.instances[number]!);
    else if (kind === FAULT) onFault(world, this.faults[number]!);
    else if (kind === CONTROL) {
      this.controlling!.tick();
      world.queue.push(world.now + this.run.control!.intervalMs, event(CONTROL, 0));
    } else if (kind === WINDOW) {
      this.closeWindow();
      world.queue.push(world.now + this.windowMs, event(WINDOW, 0));
    }
  }

  private closeWindow(): void {
    const { world } = this;
    const end = mark(world);
    const fromMs = this.windows.length * this.windowMs;
    this.windows.push({ fromMs, ...slice(world, this.windowStart, end, 'window') });
    const counts = fromMs >= (this.run.warmUpMs ?? 0);
    if (!counts) this.counted = end;
    for (const one of [...world.entries, ...placesOf(world)]) {
      if (counts) one.window.mergeInto(one.total);
      one.window.clear();
    }
    this.windowStart = end;
  }
}
