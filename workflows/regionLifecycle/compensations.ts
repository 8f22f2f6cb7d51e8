import { isCancellation } from '@temporalio/workflow';
import type { Step } from '../../core/spec/lifecycle.js';
import { moveEntry } from '../shared/activities.js';
import { blockedBy } from './blocked.js';
import type { Region } from './region.js';
import type { LifecycleState } from './state.js';
import { STEPS } from './state.js';

/** How a step is undone, noted before the step begins, so that nothing is half done without a way back. */
export interface Compensation {
  step: Step;
  what: 'adjustment' | 'mesh' | 'instances' | 'entry';
  state: 'registered' | 'undone' | 'stays' | 'failed';
  /** What came of it; `null`: it was not tried. */
  result: string | null;
}

/** The adjustment stands first and is undone last: users and what they reach come before the tuner. */
const OF_STEP: Readonly<Partial<Record<Step, Compensation['what']>>> = {
  forecast: 'adjustment',
  'pre-deploy': 'mesh',
  'await-stack': 'instances',
  activate: 'entry',
};

export function registerCompensation(state: LifecycleState, step: Step): void {
  const what = OF_STEP[step];
  state.compensations ??= [];
  if (what === undefined || state.compensations.some((one) => one.what === what)) return;
  state.compensations.push({ step, what, state: 'registered', result: null });
}

/** A region that began under an older build has registered nothing: its steps tell. */
function registered(state: LifecycleState): Compensation[] {
  for (const step of STEPS.slice(0, STEPS.indexOf(state.step) + 1)) registerCompensation(state, step);
  return state.compensations ?? [];
}

/**
 * Undoes what was registered, the last first, and stops at what cannot be undone: users who cannot be moved still need
 * what stands before them. Returns a sentence for each, and why it stopped; asked again it goes on from there.
 */
export async function compensate(region: Region): Promise<{ report: string; stoppedBy: unknown }> {
  const { state } = region;
  const list = registered(state);
  let stoppedBy: unknown = null;
  for (const one of list.toReversed()) {
    try {
      const [became, result] = await UNDO[one.what](region);
      Object.assign(one, { state: became, result });
    } catch (error) {
      if (isCancellation(error)) throw error;
      Object.assign(one, { state: 'failed', result: blockedBy(error, 'hook-failed').detail });
      stoppedBy = error;
      break;
    }
  }
  // Together and at the end: a note in the middle would have its recording begin between two of them.
  for (const { step, what, state: became, result } of list.toReversed()) {
    if (result === null) continue;
    region.audit.note({ kind: 'compensated', why: `abort undoes ${step}`, subject: what, to: became, result });
  }
  return { report: reportOf(list), stoppedBy };
}

type Undone = readonly [Compensation['state'], string];

const UNDO: Readonly<Record<Compensation['what'], (region: Region) => Promise<Undone>>> = {
  entry: async ({ state }) => {
    if (!state.entryMoved) return ['undone', 'no users enter here'];
    const { called } = await moveEntry({ specRef: state.accepted.specRef, phase: 'drain' });
    state.entryMoved = false;
    return called
      ? ['undone', 'the users enter where they came from']
      : ['stays', 'no hook moves the entry of the users: whoever owns it has to'];
  },
  instances: () => Promise.resolve(['stays', 'instances that were asked for stay; nothing is scaled in']),
  mesh: ({ state }) =>
    Promise.resolve([
      'stays',
      `release ${state.currentHash?.slice(0, 12) ?? '0'} stays and serves whom it reaches; psmg_target.py restore --to 0 on the host undoes it`,
    ]),
  adjustment: async (region) => {
    await region.cancelAdjustment();
    return ['undone', 'the adjustment does not run'];
  },
};

function reportOf(list: readonly Compensation[]): string {
  const told = (became: Compensation['state']): string[] =>
    list
      .toReversed()
      .flatMap(({ state, step, what, result }) =>
        state === became ? [`${what} (${step}): ${result ?? 'not tried'}`] : [],
      );
  const parts = [
    ['undone', told('undone')],
    ['stays', told('stays')],
    ['NOT undone', told('failed')],
    ['not tried', told('registered')],
  ] as const;
  return parts.flatMap(([head, words]) => (words.length === 0 ? [] : [`${head}: ${words.join('; ')}`])).join('. ');
}
