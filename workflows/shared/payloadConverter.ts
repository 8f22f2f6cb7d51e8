import type { ConverterHint, Payload, PayloadConverter, SerializationContext } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';

/** Stands in for a payload that nobody could decode; message handlers refuse it with `reason`. */
export interface Undecodable {
  undecodable: true;
  encoding: string;
  reason: string;
}

export function isUndecodable(value: unknown): value is Undecodable {
  return typeof value === 'object' && value !== null && (value as { undecodable?: unknown }).undecodable === true;
}

function encodingOf(payload: Payload): string {
  const raw = payload.metadata?.['encoding'];
  return raw === undefined ? '(none)' : String.fromCharCode(...raw);
}

/**
 * The default converter that never throws on reading. With the default one, a single signal sent with a wrong
 * `--input-meta` fails every workflow task of the region for ever; here it is a message like any other, and is refused.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload, context, hint);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'not decodable';
      const stand: Undecodable = { undecodable: true, encoding: encodingOf(payload), reason };
      return stand as T;
    }
  },
};
