import { SETTING_FIELDS } from '../core/spec/settings.js';
import type { MessageBase, MessageInputs, MessageName } from '../workflows/regionLifecycle/messages.js';
import { parseMessage, splitAddress } from '../workflows/shared/parse.js';
import type { MessageCommand } from './messageCommands.js';

/** Services and regions of a running region; a message may name those alone. */
export interface KnownNames {
  services: readonly string[];
  regions: readonly string[];
}

/** The message as it was typed. `values`: the arguments after the region, then what the options gave. */
export function messageOf(
  command: MessageCommand,
  base: MessageBase,
  values: readonly (string | undefined)[],
  options: Readonly<Record<string, unknown>>,
): MessageBase & Record<string, unknown> {
  const given = [
    ...(command.arguments ?? []).map((one, index) => ({ one, value: values[index] })),
    ...(command.options ?? []).map((one) => ({ one, value: options[one.field] as string | undefined })),
  ];
  const fields = given.flatMap(({ one, value }) =>
    value === undefined ? [] : [[one.field, one.numeric === true ? numeric(value) : value] as const],
  );
  return { ...base, ...Object.fromEntries(fields) };
}

/**
 * What the region would refuse it for; `null`: nothing. By the same checks as the region's own; where its names are
 * not known those that the message names are taken to be right.
 */
export function refusalOf<N extends MessageName>(
  name: N,
  message: MessageBase,
  known: KnownNames | null,
): string | null {
  const parsed = parseMessage(name, message, {
    ...(known ?? namedBy(message as MessageInputs[N] & Record<string, unknown>)),
    settingRules: SETTING_FIELDS,
  });
  return parsed.ok ? null : parsed.reason;
}

function namedBy({ address, service }: Readonly<Record<string, unknown>>): KnownNames {
  const { service: addressed, field } = splitAddress(typeof address === 'string' ? address : '.');
  const services = [addressed, service].filter((name): name is string => typeof name === 'string' && name !== '');
  return { services, regions: field.startsWith('weight.') ? [field.slice('weight.'.length)] : [] };
}

/** A hash may be all digits, and is none the less no number. */
const MAX_DIGITS = 20;

function numeric(text: string): number | string {
  const value = Number(text);
  return text.trim() !== '' && text.length <= MAX_DIGITS && Number.isFinite(value) ? value : text;
}
