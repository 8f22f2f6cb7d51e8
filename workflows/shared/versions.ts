import { patched } from '@temporalio/workflow';

/**
 * Versions of the workflows' logic. Each is asked for by `patched`, so that a run that began before it goes on as it
 * began; one leaves this list when no run is left, open or kept, that began before it (docs/upgrading.md).
 */
export const LOGIC_VERSIONS = {
  audit: { since: '2026-11-24', reason: 'what a workflow decides is noted, and recorded by an activity' },
  'strict-start': {
    since: '2026-11-24',
    reason: 'a region goes by its own id alone, takes messages in the order in which they came, and bounds their size',
  },
} as const satisfies Readonly<Record<string, { since: string; reason: string }>>;

/**
 * To be asked in a run's first activation, and kept. A replay learns of a patch one workflow task ahead, so that a
 * later question could be answered wrongly, and the SDK does not remember that it answered no.
 */
export function startsStrictly(): boolean {
  return patched('strict-start');
}
