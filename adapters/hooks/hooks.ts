import { runHook } from './command.js';
import { postHook } from './http.js';
import type { HookClient } from './port.js';

/** Hooks of either form. */
export function createHooks(): HookClient {
  return {
    call: (hook, body, signal) => ('url' in hook ? postHook(hook, body, signal) : runHook(hook, body, signal)),
  };
}
