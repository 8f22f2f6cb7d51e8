import type { AcceptedFleet } from '../../activities/acceptFleet.js';
import type { RolloutStage } from '../../core/spec/fleet.js';

export interface RegionProgress {
  state: 'waiting' | 'asked' | 'done' | 'failed';
  atMs: number;
  detail: string;
}

/** A new plan on its way round the fleet. */
export interface RolloutState {
  key: string;
  who: string;
  why: string;
  /** `stopped` waits for `resume-rollout` or `abort-rollout`. */
  state: 'running' | 'judging' | 'stopped' | 'done' | 'aborted';
  stages: string[][];
  /** Index of the stage that is under way. */
  stage: number;
  regions: Record<string, RegionProgress>;
  judgeUntilMs: number | null;
  /** Times it was begun or resumed; part of the keys that regions see. */
  attempt: number;
  detail: string;
}

/** The regions of each stage: stages are sums, each takes in one region more at least, and the last takes in all. */
export function stagesOf(regions: readonly string[], stages: readonly RolloutStage[]): string[][] {
  const made: string[][] = [];
  let taken = 0;
  for (const stage of [...stages, '100%']) {
    const wanted = typeof stage === 'number' ? stage : Math.ceil((Number.parseFloat(stage) / 100) * regions.length);
    const upTo = Math.min(regions.length, Math.max(wanted, taken + 1));
    if (upTo > taken) made.push(regions.slice(taken, upTo));
    taken = upTo;
  }
  return made;
}

export function isOpen(rollout: RolloutState | null): rollout is RolloutState {
  return rollout !== null && rollout.state !== 'done' && rollout.state !== 'aborted';
}

type Timing = Pick<AcceptedFleet, 'judgeMs' | 'timeoutMs'>;

/** Takes the rollout as far as it can go now, and names the regions that are to be asked to plan anew. */
export function advance(rollout: RolloutState, atMs: number, timing: Timing): string[] {
  if (rollout.state === 'judging' && atMs >= (rollout.judgeUntilMs ?? 0)) beginStage(rollout, rollout.stage + 1);
  if (rollout.state !== 'running') return [];
  const stage = rollout.stages[rollout.stage] ?? [];
  const asked = stage.filter((region) => rollout.regions[region]?.state === 'waiting');
  for (const region of asked) rollout.regions[region] = { state: 'asked', atMs, detail: 'asked to plan anew' };
  for (const region of stage) {
    const { state, atMs: sinceMs } = rollout.regions[region] ?? { state: 'done', atMs };
    if (state === 'asked' && atMs >= sinceMs + timing.timeoutMs)
      fail(rollout, region, 'it did not say what came of it', atMs);
  }
  if (stage.every((region) => rollout.regions[region]?.state === 'done')) {
    rollout.state = 'judging';
    rollout.judgeUntilMs = atMs + timing.judgeMs;
    rollout.detail = `stage ${rollout.stage + 1} of ${rollout.stages.length} is judged`;
  }
  return asked;
}

/** When `advance` has something to do by itself; `Infinity`: only when a region says something. */
export function dueMs(rollout: RolloutState | null, timing: Timing): number {
  if (rollout?.state === 'judging') return rollout.judgeUntilMs ?? 0;
  if (rollout?.state !== 'running') return Infinity;
  const stage = rollout.stages[rollout.stage] ?? [];
  const times = stage.flatMap((region) => {
    const progress = rollout.regions[region];
    if (progress?.state === 'waiting') return [0];
    return progress?.state === 'asked' ? [progress.atMs + timing.timeoutMs] : [];
  });
  return Math.min(Infinity, ...times);
}

/** A change that began before the region was asked is another one. */
export function takeOutcome(
  rollout: RolloutState,
  {
    region,
    outcome,
    detail,
    startedMs,
  }: { region: string; outcome: 'done' | 'failed'; detail: string; startedMs: number },
  atMs: number,
): void {
  const progress = rollout.regions[region];
  if (progress?.state !== 'asked' || startedMs < progress.atMs) return;
  if (outcome === 'failed') fail(rollout, region, detail, atMs);
  else rollout.regions[region] = { state: 'done', atMs, detail };
}

/** A region that has the new plan, or is about to, is blocked. */
export function takeBlock(rollout: RolloutState, region: string, detail: string, atMs: number): void {
  const state = rollout.regions[region]?.state;
  if (isOpen(rollout) && (state === 'asked' || state === 'done')) fail(rollout, region, detail, atMs);
}

function fail(rollout: RolloutState, region: string, detail: string, atMs: number): void {
  rollout.regions[region] = { state: 'failed', atMs, detail };
  if (!isOpen(rollout)) return;
  rollout.state = 'stopped';
  rollout.judgeUntilMs = null;
  rollout.detail = `stopped in stage ${rollout.stage + 1} of ${rollout.stages.length}: ${region}: ${detail}`;
}

/** The failed regions are asked again before anything else, wherever they stand. */
export function resumeRollout(rollout: RolloutState): void {
  const failed = Object.entries(rollout.regions).filter(([, { state }]) => state === 'failed');
  for (const [, progress] of failed) progress.state = 'waiting';
  rollout.attempt += 1;
  const first = rollout.stages.findIndex((stage) => stage.some((region) => rollout.regions[region]?.state !== 'done'));
  beginStage(rollout, first === -1 ? rollout.stages.length - 1 : first);
}

export function beginStage(rollout: RolloutState, stage: number): void {
  rollout.judgeUntilMs = null;
  if (stage >= rollout.stages.length) {
    rollout.state = 'done';
    rollout.detail = 'every region has the new plan';
    return;
  }
  rollout.state = 'running';
  rollout.stage = stage;
  rollout.detail = `stage ${stage + 1} of ${rollout.stages.length}: ${rollout.stages[stage]?.join(', ') ?? ''}`;
}

/** Regions whose requests wait until a person has decided about the rollout. */
export function heldBy(rollout: RolloutState | null): ReadonlySet<string> {
  const held = rollout?.state === 'stopped' ? Object.entries(rollout.regions) : [];
  return new Set(held.filter(([, { state }]) => state === 'asked').map(([region]) => region));
}
