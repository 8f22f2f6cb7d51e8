import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { JudgeOutcome } from '../../activities/contract.js';
import type { ActivationStage } from '../../core/spec/live.js';
import { moveEntry, readTargets, restoreDeployment, timedActivities } from '../shared/activities.js';
import { nowIso } from '../shared/clock.js';
import { blockedBy } from './blocked.js';
import type { Leaving } from './leave.js';
import { drainStages, phaseNow } from './leave.js';
import type { Region } from './region.js';
import { keepLast } from './state.js';
import type { During } from './steps.js';

/**
 * Carries out a drain or a retirement as far as it gets. It upholds:
 * 1. what is done is in state, part by part, so that a new run or a retry goes on from there;
 * 2. a message that stops it is obeyed before the next write, and in the middle of a judgement;
 * 3. what fails blocks the region: a stage that was judged badly went back before to the one that it came from.
 * @param wantsPause asked between stages: whether a new run should go on with it
 */
export async function leaveRegion(region: Region, during: During, wantsPause: () => boolean): Promise<void> {
  const { state } = region;
  const { leaving } = state;
  if (leaving === undefined) return;
  leaving.state = 'running';
  delete leaving.skippable;
  region.show(phaseNow(state));
  try {
    await region.takeWriter();
    if (state.entryMoved && !(await sendUsersAway(region, leaving, during, wantsPause))) return;
    if (leaving.what === 'retire') return await putDeploymentZeroBack(region, leaving);
    leaving.state = 'done';
    region.show('drained');
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { reason, detail } = blockedBy(error, state.entryMoved ? 'drain-failed' : 'retire-failed');
    region.block(reason, detail);
  }
}

/** `false`: it was stopped, blocked or paused before the users had left. */
async function sendUsersAway(
  region: Region,
  leaving: Leaving,
  during: During,
  wantsPause: () => boolean,
): Promise<boolean> {
  const { state } = region;
  const stages = drainStages(state.accepted.activationSteps, leaving.from);
  for (;;) {
    await region.carryOutQueued();
    if (!goesOn(region, leaving)) return false;
    const stage = stages[leaving.next];
    if (stage === undefined) break;
    if (!(await enterStage(region, leaving, stage, during))) return false;
    leaving.next += 1;
    leaving.detail = `${stage.localPercent} % of the planned requests are answered here`;
    region.show();
    if (wantsPause()) return false;
  }
  const { called } = await moveEntry({ specRef: state.accepted.specRef, phase: 'drain' });
  state.entryMoved = false;
  const { who, why, from } = leaving;
  state.drained = { who, why, since: nowIso(), from };
  leaving.detail = called
    ? 'the users enter elsewhere'
    : 'no hook moves the entry of the users: whoever still enters here is answered by other regions';
  return true;
}

function goesOn(region: Region, leaving: Leaving): boolean {
  return region.state.leaving === leaving && leaving.state === 'running' && region.state.blocked === null;
}

/** Puts the stage in force and has it judged. `false`: it may not stand, or nobody wants it any more. */
async function enterStage(region: Region, leaving: Leaving, stage: ActivationStage, during: During): Promise<boolean> {
  const before = region.state.stage;
  await writeStage(region, stage);
  const judged = await judgeUntilClear(region, leaving, stage, during);
  if (judged === 'stopped') return false;
  if (judged.verdict === 'successful') return true;
  if (judged.verdict === 'failed') await writeStage(region, before);
  leaving.skippable = true;
  const { localPercent } = region.state.stage;
  leaving.detail = `${judged.verdict} at ${stage.localPercent} %; ${localPercent} % is in force`;
  const words = `retry tries ${stage.localPercent} % again, skip goes on without this judgement, resume brings the users back, abort sends them away at once`;
  region.block('drain-failed', `${leaving.detail}: ${judged.reason}\n${words}`);
  return false;
}

/** What could not be written is not what runs. */
async function writeStage(region: Region, stage: ActivationStage): Promise<void> {
  const { state } = region;
  const before = state.stage;
  state.stage = stage;
  try {
    await region.followWindow();
    await region.write('drain');
  } catch (error) {
    state.stage = before;
    throw error;
  }
}

/** An inconclusive stage is judged again, as often as one of activation. */
async function judgeUntilClear(
  region: Region,
  leaving: Leaving,
  stage: ActivationStage,
  during: During,
): Promise<JudgeOutcome | 'stopped'> {
  const { state } = region;
  for (let attempt = 1; ; attempt += 1) {
    const judged = await during(judgeUnlessStopped(region, leaving, stage.localPercent));
    if (judged === 'stopped') return judged;
    const { verdict, reason } = judged;
    keepLast(state.activation, { ...stage, attempt, verdict, reason, at: nowIso() });
    region.show();
    if (verdict !== 'inconclusive' || attempt >= state.accepted.maxInconclusive) return judged;
  }
}

async function judgeUnlessStopped(
  region: Region,
  leaving: Leaving,
  localPercent: number,
): Promise<JudgeOutcome | 'stopped'> {
  const { specRef, tunables } = region.state.accepted;
  const scope = new CancellationScope();
  const judged = await scope.run(() =>
    Promise.race([
      timedActivities(tunables).judgeStage({ specRef, plan: region.plan, localPercent }),
      condition(() => !goesOn(region, leaving)).then(() => 'stopped' as const),
    ]),
  );
  // Nobody waits for what lost the race.
  scope.cancel();
  return goesOn(region, leaving) ? judged : 'stopped';
}

/** What was there before the first write, checked at every target, and the tuner's end. */
async function putDeploymentZeroBack(region: Region, leaving: Leaving): Promise<void> {
  const { state } = region;
  const { specRef } = state.accepted;
  const releaseHash = state.deployments.find(({ kind }) => kind === 'baseline')?.hash ?? '0';
  leaving.detail = 'the users are elsewhere; deployment 0 is being put back';
  region.show('retiring');
  const { epoch, currentHash } = state;
  await restoreDeployment({ specRef, releaseHash, epoch, expectedHash: currentHash });
  state.stage = { localPercent: 0, enforceLimits: false };
  region.record('retire', releaseHash);
  const unlike = (await readTargets({ specRef })).filter(
    ({ hash, drifted }) => (hash ?? '0') !== releaseHash || drifted.length > 0,
  );
  if (unlike.length > 0) {
    const words = unlike.map(({ host, hash, drifted }) => `${host} runs ${hash ?? '0'} ${drifted.join(', ')}`.trim());
    region.block('retire-failed', `deployment 0 was put back, and is not what runs: ${words.join('; ')}`);
    return;
  }
  await region.cancelAdjustment();
  state.tuner.state = 'tuner-stopped';
  leaving.state = 'done';
  leaving.detail = 'the users are elsewhere and deployment 0 is back';
  region.show('retired');
}
