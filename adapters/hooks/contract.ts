import { expect, it } from '@jest/globals';
import type { HookSpec } from '../../core/spec/region.js';
import { createHooks } from './hooks.js';
import { HookFailedError } from './port.js';

/** The other side of a hook, of either form. */
export interface HookStand {
  /** Takes what is handed over, then does as told: agrees, refuses with these words, or says nothing for a long time. */
  hook(does: 'agree' | 'refuse' | 'hang', timeoutSeconds: number): Promise<HookSpec>;
  /** What was handed over so far. */
  bodies(): unknown[];
  /** In the words of its form, how it refuses: with a status, or with a code. */
  refusal: RegExp;
  /** One that nobody stands behind. */
  absent: HookSpec;
}

export const REFUSAL_WORDS = 'the balancer says no';

/** What every form of a hook has to hold to. */
export function hookContract(stand: () => HookStand): void {
  const body = { region: 'eu-west', phase: 'activate' };
  const call = async (hook: HookSpec, signal = new AbortController().signal): Promise<void> =>
    createHooks().call(hook, body, signal);

  it('hands over JSON and is content when the other side agrees', async () => {
    await call(await stand().hook('agree', 5));
    expect(stand().bodies()).toEqual([body]);
  });

  it('fails with how it was refused and the words of the other side', async () => {
    const failed = call(await stand().hook('refuse', 5));
    await expect(failed).rejects.toThrow(HookFailedError);
    await expect(failed).rejects.toThrow(stand().refusal);
    await expect(failed).rejects.toThrow(REFUSAL_WORDS);
  });

  it('gives up after the stated time', async () => {
    const failed = call(await stand().hook('hang', 0.5));
    await expect(failed).rejects.toThrow(HookFailedError);
    await expect(failed).rejects.toThrow(/0\.5 s/);
  });

  it('ends at once when it is aborted, with the reason of that', async () => {
    const controller = new AbortController();
    const failed = call(await stand().hook('hang', 60), controller.signal);
    controller.abort(new Error('the worker goes'));
    await expect(failed).rejects.toThrow('the worker goes');
  });

  it('names one that nobody stands behind', async () => {
    const failed = call(stand().absent);
    await expect(failed).rejects.toThrow(HookFailedError);
    await expect(failed).rejects.toThrow(/hook \S*nobody-is-here\S* /);
  });
}
