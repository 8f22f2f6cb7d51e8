import type { SendOutcome } from './outcome.js';
import { failedOrStored } from './outcome.js';
import type { RefusedLine } from './setAside.js';

export interface Delivery {
  refused: readonly RefusedLine[];
  /** Why it ended early; the whole batch must be delivered again. `null`: the server has every other line. */
  failure: Extract<SendOutcome, { kind: 'failed' }> | null;
}

/**
 * Gives lines to the server in order. What it refuses is halved until the lines at fault are found; all others are
 * stored. Sending twice is harmless: a value is known by its key and time.
 */
export async function deliver(text: string, send: (text: string) => Promise<SendOutcome>): Promise<Delivery> {
  const outcome = await send(text);
  if (outcome.kind === 'stored') return { refused: [], failure: null };
  if (outcome.kind === 'failed') return { refused: [], failure: outcome };
  const empty = failedOrStored(await send(''));
  if (empty.kind === 'failed') return { refused: [], failure: empty };
  return findRefused(text.split('\n').filter(Boolean), outcome, send);
}

type Refusal = Extract<SendOutcome, { kind: 'refused' }>;

async function findRefused(
  lines: readonly string[],
  first: Refusal,
  send: (text: string) => Promise<SendOutcome>,
): Promise<Delivery> {
  const refused: RefusedLine[] = [];
  const waiting: (readonly string[])[] = [];
  const judge = (part: readonly string[], { words, dropped }: Refusal): void => {
    if (part.length === 1 || dropped === part.length) refused.push(...part.map((line) => ({ line, words })));
    else waiting.push(part.slice(part.length >> 1), part.slice(0, part.length >> 1));
  };
  judge(lines, first);
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const outcome = await send(part.join('\n'));
    if (outcome.kind === 'failed') return { refused: [], failure: outcome };
    if (outcome.kind === 'refused') judge(part, outcome);
  }
  return { refused, failure: null };
}
