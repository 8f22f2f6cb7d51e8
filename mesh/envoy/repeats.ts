import type { LiveService } from '../../core/spec/live.js';
import type { Tree } from '../document.js';
import { REPEAT_GRPC_HEADER, REPEAT_HEADER } from './names.js';

/** Only what no endpoint has begun to work on: whether more may be repeated is the caller's to know. */
const UNBEGUN = 'connect-failure,refused-stream,reset-before-request';

/**
 * Whether failed answers of a service's instances may be asked for again. The plan says so only where a repeated
 * request does no harm and the failure is the instance's own: what a service only hands on was repeated below already.
 */
export function answersMayBeRepeated({ idempotent, protocol }: LiveService): boolean {
  return idempotent === true && protocol !== 'tcp';
}

/** What a caller's proxy repeats: what nobody has begun to work on, and what an instance's proxy marks. */
export function repeatedOn(behindProxy: boolean): { [key: string]: Tree } {
  if (!behindProxy) return { retry_on: UNBEGUN };
  return {
    retry_on: `${UNBEGUN},retriable-headers`,
    retriable_headers: [
      { name: REPEAT_HEADER, range_match: { start: 500, end: 600 } },
      // UNAVAILABLE and CANCELLED; others tell of the request and would be answered alike elsewhere.
      { name: REPEAT_GRPC_HEADER, string_match: { safe_regex: { regex: '1|14' } } },
    ],
  };
}

/** Marks go no further than the first proxy that could repeat the request. */
export const TAKEN_OFF: { [key: string]: Tree } = {
  response_headers_to_remove: [REPEAT_HEADER, REPEAT_GRPC_HEADER],
};
