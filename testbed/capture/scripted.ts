import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { TickOutcome } from '../../activities/contract.js';
import type { Adjustment } from '../../core/spec/live.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { ScriptedRegion } from '../../test/workflows/scriptedActivities.js';
import { adjustmentWorkflowId, regionWorkflowId } from '../../workflows/shared/names.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';
import { approvalLives } from './approvalLives.js';
import { leavingLives } from './leavingLives.js';
import type { ScriptedLife } from './life.js';
import { blockedBy, failure } from './life.js';
import { operatorLives } from './operatorLives.js';
import { isOperating, launchRegion } from './person.js';
import type { CapturedRun } from './save.js';
import { captureWorkflow } from './save.js';

const LIVES: readonly ScriptedLife[] = [
  {
    name: 'decided',
    region:
      'blocked three times: retry, skip of the stack and skip of an inconclusive activation; skip of a plan is refused',
    adjustment: 'started after an activation that was skipped',
    prepare: (outside) => {
      outside.faults.planRegion = [failure('no capacity in eu', 'plan-refused')];
      outside.faults.awaitStack = [failure('shop 1 of 2', 'stack-not-ready')];
      outside.verdicts.push('successful', 'inconclusive', 'inconclusive');
    },
    live: async ({ until, update }) => {
      await until('plan refused', blockedBy('plan-refused'));
      await update('skip', {}, false);
      await update('retry');
      await until('no stack', blockedBy('stack-not-ready'));
      await update('skip');
      await until('inconclusive', blockedBy('activation-inconclusive'));
      await update('skip');
      await until('operating', isOperating);
    },
  },
  {
    name: 'aborted',
    region: 'a failed stage goes back to the weights before it; abort sends the users back and ends the life',
    prepare: (outside) => outside.verdicts.push('successful', 'inconclusive', 'successful', 'failed'),
    live: async ({ region, until, update }) => {
      await until('failed', blockedBy('activation-failed'));
      await update('abort');
      await region.result();
    },
  },
  {
    name: 'frozen-start',
    region:
      'signals before the file is accepted: an unknown one, and a freeze that holds the deployment back until resume',
    adjustment: 'started after a freeze before the deployment',
    options: { firstSignal: { name: 'freez', input: { key: 'typo' } } },
    prepare: (outside) => {
      outside.during = async (name) => {
        if (name === 'acceptRegion') await new Promise((resolve) => setTimeout(resolve, 700));
      };
    },
    live: async ({ signal, until, update }) => {
      await signal('freeze');
      await until('held back', ({ phase, freeze, refused }) => {
        return phase === 'pre-deploying' && freeze !== null && refused.total === 1;
      });
      await update('override', { address: 'shop.rateLimit.rps', value: 40 });
      await update('resume');
      await until('operating', isOperating);
    },
  },
  {
    name: 'drifted',
    region:
      'somebody else wrote to a target in operation: an override is refused, the region blocks, retry goes on from what runs',
    adjustment: 'met drift, only watched after it, and got a new order',
    live: async ({ until, untilTuner, update }, outside) => {
      await until('operating', isOperating);
      outside.hash = 'somebody-else';
      await update('override', { address: 'shop.rateLimit.rps', value: 5 }, false);
      await until('drift', blockedBy('drift'));
      await update('retry');
      await until('operating', isOperating);
      await untilTuner('mended', ({ problem }) => problem === null);
      await update('override', { address: 'shop.rateLimit.rps', value: 5 });
    },
  },
  {
    name: 'tuned',
    region: 'reports of an adjustment that changes settings, and a freeze in which it reverses one',
    adjustment: 'a change that is kept, one that is reversed in a freeze, and limits that follow ready instances',
    prepare: (outside) => {
      let made = 0;
      outside.tickOutcome = ({ inFlight, frozen }): Partial<TickOutcome> => {
        if (inFlight !== null && frozen) return { decision: { kind: 'revert', reason: 'p99 over the SLO' } };
        if (inFlight !== null && made === 1) return { decision: { kind: 'keep', reason: 'within the SLO' } };
        if (inFlight !== null || frozen || made === 2) return { readyInstances: { shop: 3 } };
        made += 1;
        return { decision: { kind: 'adjust', adjustment: change(made), service: 'shop', baseline: {} as never } };
      };
    },
    live: async ({ until, untilTuner, update }) => {
      await until('operating', isOperating);
      await untilTuner('two changes', ({ adjustmentsMade }) => adjustmentsMade === 2);
      await untilTuner('judged', ({ inFlight }) => (inFlight?.inconclusiveTicks ?? 0) >= 2);
      await update('freeze');
      await untilTuner('reversed', ({ adjustmentsReverted }) => adjustmentsReverted === 1);
      await update('resume');
      await untilTuner('limits follow', ({ readyInstances }) => readyInstances['shop'] === 3);
    },
  },
  {
    name: 'replanned',
    region:
      'two windows of a plan; asked to plan anew, refused in a freeze, and anew on schedule after one that failed',
    adjustment: 'puts a window in force when it is due, and goes on under the plans after it',
    prepare: (outside) => {
      outside.scheduleReplans(6000);
      outside.windows = () => {
        const secondMs = Date.now() + (outside.plans === 0 ? 4000 : 3_600_000);
        return [Date.now() - 1000, secondMs].map((wallFromMs, i) => ({ from: `window-${i}`, wallFromMs }));
      };
    },
    live: async ({ until, untilTuner, update }, outside) => {
      await until('operating', isOperating);
      await untilTuner('the second window', ({ window }) => window === 'window-1');
      await update('replan');
      await until('planned anew', ({ replan }) => replan?.state === 'done' && replan.by === 'ada');
      await update('freeze');
      await update('replan', {}, false);
      outside.faults.planRegion = [failure('no capacity in eu', 'plan-refused')];
      await update('resume');
      await until('could not plan', ({ replan }) => replan?.state === 'failed');
      await until('planned on schedule', ({ replan }) => replan?.state === 'done' && replan.by === 'the schedule');
      await untilTuner('under the third plan', ({ planHash }) => planHash === 'p3');
    },
  },
  {
    name: 'refused-write',
    region: 'an override that no plan can carry is refused, and nothing else comes of it',
    adjustment: 'a change that could not be written while the target was out of reach is made by a later tick',
    prepare: (outside) => {
      let reachable = false;
      outside.tickOutcome = ({ inFlight }): Partial<TickOutcome> => {
        if (inFlight !== null) return {};
        if (!reachable) outside.faults.applyIntent = [failure('edge-1: no answer', 'target-unreachable')];
        reachable = true;
        return { decision: { kind: 'adjust', adjustment: change(1), service: 'shop', baseline: {} as never } };
      };
    },
    live: async ({ until, untilTuner, update }, outside) => {
      await until('operating', isOperating);
      const { ticks } = await untilTuner('made later', ({ adjustmentsMade, inFlight }) => {
        return adjustmentsMade === 1 && inFlight !== null;
      });
      outside.faults.applyIntent = [failure('shop: 1 ms is no time', 'plan-invalid')];
      await update('override', { address: 'shop.timeout.requestMs', value: 1 }, false);
      await untilTuner('two more ticks', (now) => now.ticks >= ticks + 2 && now.problem === null);
      await until('still operating', isOperating);
    },
  },
  {
    name: 'deserted',
    region:
      'the adjustment was terminated by hand: a rollback takes the right to write without its answer; resume starts another',
    adjustment: 'terminated by hand, and the one after it',
    runs: { region: 1, adjustment: 2 },
    live: async ({ adjustment, until, untilTuner, update }) => {
      await until('operating', isOperating);
      await untilTuner('a tick', ({ ticks }) => ticks > 0);
      await adjustment.terminate('by hand');
      await update('rollback', { to: 'previous' });
      await update('resume');
      await until('operating', isOperating);
      await untilTuner('a tick', ({ ticks }) => ticks > 0);
    },
  },
  {
    name: 'unrecorded',
    region:
      'the audit is away until more has been noted than there is room for: what waits is recorded, and the gap after it',
    adjustment: 'a change noted while the audit was away, recorded once it is back',
    prepare: (outside) => {
      let away = true;
      outside.during = async (name) => {
        if (name === 'recordAudit' && away) throw failure('the disk is full', 'AuditUnavailableError');
        return Promise.resolve();
      };
      outside.tickOutcome = ({ inFlight }): Partial<TickOutcome> =>
        inFlight === null
          ? { decision: { kind: 'adjust', adjustment: change(1), service: 'shop', baseline: {} as never } }
          : { decision: { kind: 'none', reason: 'not judged yet' } };
      outside.auditIsBack = () => {
        away = false;
      };
    },
    live: async ({ region, until, untilTuner }, outside) => {
      await until('operating', isOperating);
      await untilTuner('a change', ({ adjustmentsMade, audit }) => adjustmentsMade === 1 && audit?.pending === 1);
      const why = 'a slip of the hand, told at length. '.repeat(25);
      for (let i = 0; i < 30; i += 1) await region.signal('freez', { key: `slip-${i}`, who: 'ada', why });
      await until('no room', ({ audit }) => (audit?.lost ?? 0) > 0);
      outside.auditIsBack();
      await until('recorded', ({ audit }) => audit?.pending === 0 && audit.lost === 0);
      await untilTuner('recorded', ({ audit }) => audit?.pending === 0);
    },
  },
  {
    name: 'mended',
    region: 'repaired by hand in a freeze: tuner, epoch and release; and taken to a new run by a person',
    adjustment: 'declared stopped, and the one after it',
    runs: { region: 2, adjustment: 2 },
    live: async ({ region, until, untilTuner, update }) => {
      await until('operating', isOperating);
      await update('repair', { field: 'epoch', value: 9 }, false);
      await update('freeze');
      await update('repair', { field: 'tuner', value: 'none' });
      await update('repair', { field: 'epoch', value: 9 });
      await update('repair', { field: 'current-hash', value: 'a'.repeat(64) }, false);
      await update('resume');
      await until('operating again', isOperating);
      await untilTuner('a tick', ({ ticks }) => ticks > 0);
      const { runId } = await region.describe();
      await update('continue-as-new');
      const endMs = Date.now() + 20_000;
      while ((await region.describe()).runId === runId) {
        if (Date.now() > endMs) throw new Error('the region did not go on in a new run');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await until('operating in the new run', isOperating);
    },
  },
  {
    name: 'cancelled',
    region: 'cancelled in operation: everything stays as it runs and the phase says that nobody looks after it',
    live: async ({ region, until }) => {
      await until('operating', isOperating);
      await region.cancel();
      await region.result().catch(() => undefined);
    },
  },
  ...approvalLives(),
  ...leavingLives(),
  ...operatorLives(),
];

/** On a server that suggests continue-as-new after so few events that it happens at once. */
const CONTINUED: ScriptedLife = {
  name: 'continued',
  region: 'goes on in a new run when the server suggests it; freeze, override and keys go with it',
  adjustment: 'goes on in a new run when the server suggests it, with its counts',
  runs: { region: 2, adjustment: 2 },
  live: async ({ until, untilTuner, update, region }) => {
    await until('operating', isOperating);
    await update('override', { address: 'shop.rateLimit.rps', value: 40 });
    await update('freeze');
    await untilTuner('ticks of several runs', ({ ticks, frozen }) => frozen && ticks >= 10);
    await until('told', ({ freeze, overrides, tuner }) => {
      return freeze !== null && overrides.length === 1 && (tuner.report?.ticks ?? 0) >= 10;
    });
    await update('resume');
    const { raw } = await region.describe();
    if (raw.workflowExecutionInfo?.firstRunId === raw.workflowExecutionInfo?.execution?.runId) {
      throw new Error('the region did not continue as new');
    }
  },
};
const SUGGESTED_AFTER_EVENTS = 60;

/** `only`: names of lives; absent: all of them. */
export async function captureScripted(
  bundle: WorkflowBundle,
  only?: readonly string[],
): Promise<readonly CapturedRun[]> {
  const wanted = LIVES.filter((life) => only?.includes(life.name) ?? true);
  const lives = await onServer([], (env) => Promise.all(wanted.map((life) => capture(env, bundle, life))));
  if (only?.includes(CONTINUED.name) === false) return lives.flat();
  const limit = `limit.historyCount.suggestContinueAsNew=${SUGGESTED_AFTER_EVENTS}`;
  const continued = await onServer(['--dynamic-config-value', limit], (env) => capture(env, bundle, CONTINUED));
  return [...lives.flat(), ...continued];
}

async function onServer<T>(args: readonly string[], use: (env: TestWorkflowEnvironment) => Promise<T>): Promise<T> {
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((key) => ['--search-attribute', `${key.name}=Keyword`]);
  const timers = ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'];
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: locatePart('temporal') },
      extraArgs: [...attributes, ...timers, ...args],
    },
  });
  try {
    return await use(env);
  } finally {
    await env.teardown();
  }
}

async function capture(
  env: TestWorkflowEnvironment,
  bundle: WorkflowBundle,
  life: ScriptedLife,
): Promise<readonly CapturedRun[]> {
  const { name, runs = { region: 1, adjustment: 1 } } = life;
  const outside = life.outside?.() ?? new ScriptedRegion();
  life.prepare?.(outside);
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: name,
    workflowBundle: bundle,
    activities: { ...outside.activities(), ...life.besides?.(outside) },
    maxHeartbeatThrottleInterval: '1 second',
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  return worker.runUntil(async () => {
    await life.live(await launchRegion(env.client, name, name, name, life.options), outside, env.client);
    const region = { workflowId: regionWorkflowId(name), name: `${name}-region`, reason: life.region };
    const captured = [...(await captureWorkflow(env.client, { ...region, runs: runs.region }, 0))];
    if (life.adjustment !== undefined) {
      const tuner = { workflowId: adjustmentWorkflowId(name), name: `${name}-adjustment`, reason: life.adjustment };
      captured.push(...(await captureWorkflow(env.client, { ...tuner, runs: runs.adjustment }, 0)));
    }
    for (const other of life.others ?? []) captured.push(...(await captureWorkflow(env.client, other, 0)));
    return captured;
  });
}

function change(number: number): Adjustment {
  const address = number === 1 ? 'shop.rateLimit.rps' : 'shop.breaker.maxRequests';
  const madeAt = new Date().toISOString();
  return { address, from: 10, to: 11, reason: 'it binds', planHash: 'p1', madeAt };
}
