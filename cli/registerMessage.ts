import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { Argument } from 'commander';
import type { MessageBase } from '../workflows/regionLifecycle/messages.js';
import type { ConnectionChoice } from './connection.js';
import { choiceOf } from './connection.js';
import { confirmed } from './confirm.js';
import type { MessageCommand, MessageField } from './messageCommands.js';
import { messageOf, refusalOf } from './messageOf.js';
import type { KnownNames } from './messageOf.js';
import { formatOption, wholeSeconds } from './options.js';
import { EXIT, printJson } from './output.js';
import { messageLine } from './temporalLine.js';
import { toldPlan, waitingPlan } from './waitingPlan.js';

interface Options {
  why: string;
  who: string;
  key?: string;
  yes?: string;
  dryRun: boolean;
  signal: boolean;
  wait: number;
  format: 'text' | 'json';
}

/** Longer than any step that a message waits for by itself. */
const WAIT_SECONDS = 300;

/** A message is sent as an update, whose outcome is waited for; each prints the `temporal` line that does the same. */
export function registerMessage(region: Command, message: MessageCommand): void {
  const command = region.command(message.name).description(message.description);
  command.argument('<region>', 'region name');
  for (const one of message.arguments ?? []) command.addArgument(argumentOf(one));
  for (const { shown, description } of message.options ?? []) command.option(shown, description);
  command
    .requiredOption('--why <text>', 'reason, kept in the record')
    .option('--who <name>', 'who sends it', userInfo().username)
    .option('--key <key>', 'idempotency key; the same one twice is carried out once')
    .option('--signal', 'send it as a signal: recorded while no worker runs or Temporal has paused the region', false)
    .option('--dry-run', 'check it, show the `temporal` lines, send nothing', false)
    .option('--wait <seconds>', 'how long to wait for the outcome', wholeSeconds, WAIT_SECONDS)
    .addOption(formatOption());
  if (needsYes(message)) command.option('--yes <region>', 'its name again: confirms without asking');
  command.action(async (target: string, ...rest: unknown[]) => {
    const count = message.arguments?.length ?? 0;
    const values = rest.slice(0, count) as (string | undefined)[];
    await send({ message, target, values, options: rest[count] as Options, choice: choiceOf(command) });
  });
}

function needsYes(message: MessageCommand): boolean {
  return message.danger !== undefined || wantsPlan(message);
}

/** Its only argument is the plan, which the region can name. */
function wantsPlan({ arguments: given }: MessageCommand): boolean {
  return given?.[0]?.field === 'planHash';
}

function argumentOf({ shown, description, choices, optional }: MessageField): Argument {
  const argument = new Argument(optional === true ? `[${shown}]` : `<${shown}>`, description);
  return choices === undefined ? argument : argument.choices([...choices]);
}

interface Sending {
  message: MessageCommand;
  target: string;
  values: readonly (string | undefined)[];
  options: Options;
  choice: ConnectionChoice;
}

async function send(sending: Sending): Promise<void> {
  const { message, target, options, choice } = sending;
  const asksForPlan = wantsPlan(message) && sending.values[0] === undefined;
  const plan = asksForPlan ? await waitingPlan(target, choice) : null;
  const values = plan === null ? sending.values : [plan.planHash];
  const { who, why, format } = options;
  const body = messageOf(message, { key: options.key ?? randomUUID(), who, why }, values, { ...options });
  if (plan !== null) process.stderr.write(toldPlan(plan));
  if (options.dryRun) return dryRun(sending, body);
  const refusal = refusalOf(message.name, body, null);
  if (refusal !== null) return printOutcome({ accepted: false, detail: refusal, key: body.key }, format, EXIT.badInput);
  const what = plan === null ? message.danger : `${message.name}s plan ${plan.planHash.slice(0, 12)}`;
  if (what !== undefined) {
    const { yes } = options;
    await confirmed({ region: target, what: `${message.name} ${what}`, ...(yes === undefined ? {} : { yes }) });
  }
  await sendConfirmed(sending, body);
}

async function sendConfirmed({ message, target, options, choice }: Sending, body: MessageBase): Promise<void> {
  const { signal, wait, format } = options;
  const { name } = message;
  const line = messageLine(target, name, body, signal ? 'signal' : 'update', choice);
  process.stderr.write(`${line}\n`);
  const { sendSignal, sendUpdate } = await import('./regionClient.js');
  if (!signal) {
    const outcome = await sendUpdate({ region: target, name, message: body, waitMs: wait * 1000 }, choice);
    return printOutcome({ ...outcome, key: body.key }, format, EXIT.notSo);
  }
  await sendSignal({ region: target, name, message: body }, choice);
  const detail = `recorded under key ${body.key}; what comes of it is in "psmg region status ${target}" and explain`;
  if (format === 'json') printJson({ sent: true, detail, key: body.key });
  else process.stdout.write(`sent: ${detail}\n`);
}

function printOutcome(
  outcome: { accepted: boolean; detail: string; key: string },
  format: 'text' | 'json',
  exitWhenNot: number,
): void {
  if (format === 'json') printJson(outcome);
  else process.stdout.write(`${outcome.accepted ? 'done' : 'refused'}: ${outcome.detail}\n`);
  if (!outcome.accepted) process.exitCode = exitWhenNot;
}

/** By the region's own names where it answers, else by everything that can be told without it. */
async function dryRun({ message, target, options, choice }: Sending, body: MessageBase): Promise<void> {
  const byItself = refusalOf(message.name, body, null);
  const { known, unanswered } = byItself === null ? await namesOf(target, choice) : { known: null, unanswered: null };
  const reason = byItself ?? refusalOf(message.name, body, known);
  const lines = {
    update: messageLine(target, message.name, body, 'update', choice),
    signal: messageLine(target, message.name, body, 'signal', choice),
  };
  if (reason !== null) process.exitCode = EXIT.badInput;
  if (options.format === 'json') {
    printJson({ valid: reason === null, reason, checkedAgainst: known === null ? 'schema' : 'region', lines });
    return;
  }
  if (unanswered !== null) process.stderr.write(`names of services and regions were not checked: ${unanswered}\n`);
  if (reason === null) process.stdout.write(`${options.signal ? lines.signal : lines.update}\n`);
  else process.stdout.write(`refused: ${reason}\n`);
}

/** `unanswered`: why the names are not known. */
async function namesOf(
  region: string,
  choice: ConnectionChoice,
): Promise<{ known: KnownNames | null; unanswered: string | null }> {
  const { regionExplanation } = await import('./regionClient.js');
  try {
    const explained = await regionExplanation(region, choice);
    if (explained !== null) return { known: explained.names, unanswered: null };
    return { known: null, unanswered: 'its worker does not tell its names' };
  } catch (error) {
    return { known: null, unanswered: error instanceof Error ? error.message : String(error) };
  }
}
