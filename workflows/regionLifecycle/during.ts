import { ApplicationFailure } from '@temporalio/common';
import { condition } from '@temporalio/workflow';
import { isLeavingDue } from './leave.js';
import type { Region } from './region.js';

/** Waits for the work, and carries messages out meanwhile. */
export async function during<T>(region: Region, work: Promise<T>): Promise<T> {
  let settled = false;
  const watched = work.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  while (!settled) {
    await Promise.race([watched, condition(() => region.mailbox.queue.length > 0)]);
    if (!settled) await region.carryOutQueued();
  }
  return work;
}

/** A region that is blocked, or that its users leave, waits for no work that can be done again later. */
export async function duringUnlessGivenUp<T>(region: Region, work: Promise<T>): Promise<T> {
  const { state } = region;
  const givenUp = condition(() => state.blocked !== null || isLeavingDue(state)).then((): never => {
    const { blocked, leaving } = state;
    const why = blocked === null ? `${leaving?.what ?? ''} goes first` : `the region is blocked (${blocked.reason})`;
    throw ApplicationFailure.create({ message: `given up: ${why}` });
  });
  return during(region, Promise.race([work, givenUp]));
}
