import { log, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import type { CopyOrder, HoldOrder, RunOrder } from './messages.js';
import { copySignal, holdSignal, runSignal } from './messages.js';
import type { AdjustmentState } from './state.js';

/** Takes what the region orders; of each kind the newest waits until it is obeyed, which sets it to `null`. */
export class Orders {
  hold: HoldOrder | null = null;
  run: RunOrder | null = null;
  copy: CopyOrder | null = null;

  constructor(state: AdjustmentState) {
    setHandler(holdSignal, (order) => {
      if (isHoldOrder(order)) this.hold = order;
      else log.warn('ignored a hold that is no order');
    });
    setHandler(runSignal, (order) => {
      if (isRunOrder(order) && order.epoch >= state.run.epoch) this.run = order;
      else log.warn('ignored a run that is no order, or an old one');
    });
    setHandler(copySignal, (order) => {
      if (!isCopyOrder(order)) log.warn('ignored a copy that is no order');
      else if (order.copy > (this.copy?.copy ?? state.run.copy)) this.copy = order;
    });
    setDefaultSignalHandler((name) => log.warn('ignored an unknown signal', { name }));
  }

  areWaiting(): boolean {
    return this.hold !== null || this.run !== null || this.copy !== null;
  }
}

/**
 * Orders come from the region's lifecycle, but anyone can send a signal: one that is no order would fail the workflow
 * task, and every retry of it, for ever. These say whether it is one.
 */
function isHoldOrder(value: unknown): value is HoldOrder {
  return isObject(value) && typeof value['epoch'] === 'number';
}

function isCopyOrder(value: unknown): value is CopyOrder {
  return (
    isObject(value) &&
    typeof value['copy'] === 'number' &&
    Array.isArray(value['overrides']) &&
    value['overrides'].every((override) => isObject(override) && typeof override['address'] === 'string') &&
    typeof value['frozen'] === 'boolean' &&
    isListOf(value['autonomyRules'], 'level') &&
    isListOf(value['answers'], 'id', 'answer', 'who', 'at')
  );
}

/** Absent, or a list of objects with these texts. */
function isListOf(value: unknown, ...texts: readonly string[]): boolean {
  const fits = (one: unknown): boolean => isObject(one) && texts.every((name) => typeof one[name] === 'string');
  return value === undefined || (Array.isArray(value) && value.every(fits));
}

function isRunOrder(value: unknown): value is RunOrder {
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
