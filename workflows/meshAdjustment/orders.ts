import type { CopyOrder, HoldOrder, RunOrder } from './messages.js';

/**
 * Orders come from the region's lifecycle, but anyone can send a signal: one that is no order would fail the workflow
 * task, and every retry of it, for ever. These say whether it is one.
 */
export function isHoldOrder(value: unknown): value is HoldOrder {
  return isObject(value) && typeof value['epoch'] === 'number';
}

export function isCopyOrder(value: unknown): value is CopyOrder {
  return (
    isObject(value) &&
    typeof value['copy'] === 'number' &&
    Array.isArray(value['overrides']) &&
    value['overrides'].every((override) => isObject(override) && typeof override['address'] === 'string') &&
    typeof value['frozen'] === 'boolean'
  );
}

export function isRunOrder(value: unknown): value is RunOrder {
  if (!isObject(value) || !isHoldOrder(value) || !isCopyOrder(value)) return false;
  const { hash, specRef, plan, forecastRef, stage, readyInstances } = value as Record<string, unknown>;
  const references = [specRef, forecastRef, isObject(plan) ? plan['ref'] : undefined];
  return (
    typeof hash === 'string' &&
    references.every((reference) => isObject(reference) && typeof reference['hash'] === 'string') &&
    isObject(plan) &&
    typeof plan['hash'] === 'string' &&
    isObject(stage) &&
    typeof stage['localPercent'] === 'number' &&
    typeof stage['enforceLimits'] === 'boolean' &&
    isObject(readyInstances)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
