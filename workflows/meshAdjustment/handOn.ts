import { log } from '@temporalio/workflow';
import { MAX_STATE_BYTES, bytesOf } from '../shared/bytes.js';
import type { StateFormat } from '../shared/upcast.js';
import { readState } from '../shared/upcast.js';
import type { AdjustmentState } from './state.js';
import { STATE_SCHEMA } from './state.js';

const FORMAT: StateFormat = { workflow: 'meshAdjustment', schema: STATE_SCHEMA, upcasters: {} };

/** @throws a non-retryable failure where the state is of a schema that this build does not read */
export function readAdjustmentState(raw: unknown): AdjustmentState {
  return readState(raw, FORMAT) as unknown as AdjustmentState;
}

/** Leaves out what the next tick shows anew, and what is told elsewhere, where the state would grow too large. */
export function fitAdjustment(state: AdjustmentState): AdjustmentState {
  if (bytesOf(state) <= MAX_STATE_BYTES) return state;
  const lean: AdjustmentState = { ...state, last: null, suggestions: state.suggestions.slice(-5) };
  log.warn('the state was too large to hand on whole', { dropped: ['last tick', 'older suggestions'] });
  return lean;
}
