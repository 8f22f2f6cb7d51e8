import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseFleet } from '../core/spec/parseFleet.js';
import { workerConfig } from '../workers/config.js';
import type { FleetMessageName } from '../workflows/fleet/messages.js';
import type { FleetStatus } from '../workflows/fleet/state.js';
import type { MessageBase } from '../workflows/regionLifecycle/messages.js';
import { choiceOf, connectionFlags, connectionOptions } from './connection.js';
import type { RegionAnswer } from './fleetClient.js';
import { EXIT, printJson, refuse } from './output.js';
import { quoted } from './shellWord.js';

type Format = 'text' | 'json';

interface Options extends Omit<MessageBase, 'key'> {
  fleet: string;
  key?: string;
  format: Format;
}

/** What a region has to confirm a freeze. */
const CONFIRM_MS = 10_000;

/** Every command is a plain Temporal message to the coordinator, or to each region, and prints the line that does it. */
export function registerFleet(program: Command): void {
  const fleet = connectionOptions(
    program.command('fleet').description('let regions change in turn; freeze all of them'),
  );
  registerStart(fleet);
  registerStatus(fleet);
  registerEvery(fleet, 'freeze', 'stop every automatic change in every open region, with or without a coordinator');
  registerEvery(fleet, 'resume', 'end a fleet-wide freeze; what people froze or rolled back by itself stays').option(
    '--every',
    'also those that people froze or rolled back by themselves',
    false,
  );
  registerMessage(fleet, 'rollout', 'plan anew in stages: one region, a few, the rest').argument(
    '[regions...]',
    'regions and groups, in order; absent: all that the fleet knows',
  );
  registerMessage(fleet, 'resume-rollout', 'try the failed regions of a stopped rollout again, and go on');
  registerMessage(fleet, 'abort-rollout', 'end a rollout; regions that have the new plan keep it');
}

function registerStart(fleet: Command): void {
  const command = fleet
    .command('start')
    .description('start the coordinator of a fleet from its file')
    .argument('<file>', 'fleet file')
    .addOption(format());
  command.action(async (file: string, options: { format: Format }) => {
    const text = await readFile(file, 'utf8');
    const parsed = parseFleet(text, file);
    if (!parsed.ok) return refuse(parsed.problems, options.format);
    const { startFleet } = await import('./fleetClient.js');
    const { taskQueue } = workerConfig(process.env, process.cwd());
    const started = await connected(command, (client) =>
      startFleet(client, { name: parsed.value.name, text, taskQueue }),
    );
    if (options.format === 'json') printJson(started);
    else
      process.stdout.write(
        `${started.started ? 'started' : 'runs already:'} ${started.workflowId} (run ${started.runId})\n`,
      );
  });
}

function registerStatus(fleet: Command): void {
  const command = fleet
    .command('status')
    .description('permits, who waits and why, rollout, freeze')
    .option('--fleet <id>', 'workflow id of the coordinator', 'fleet')
    .addOption(format());
  command.action(async (options: Options) => {
    const { fleetStatus } = await import('./fleetClient.js');
    const status = await connected(command, (client) => fleetStatus(client, options.fleet));
    if (options.format === 'json') printJson(status);
    else process.stdout.write(fleetText(status));
  });
}

function registerEvery(fleet: Command, name: 'freeze' | 'resume', description: string): Command {
  const command = base(fleet, name, description).requiredOption('--all', 'every open region');
  return command.action(async (options: Options & { every?: boolean }) => {
    const message = messageOf(options);
    tellLine(command, options.fleet, `${name}-all`, message);
    const { freezeEveryRegion, resumeEveryRegion } = await import('./fleetClient.js');
    const order = { fleet: options.fleet, message, waitMs: CONFIRM_MS };
    const answers = await connected(command, (client) =>
      name === 'freeze'
        ? freezeEveryRegion(client, order)
        : resumeEveryRegion(client, { ...order, every: options.every === true }),
    );
    if (options.format === 'json') printJson({ regions: answers });
    else process.stdout.write(answers.length === 0 ? 'no region runs\n' : answers.map(answerLine).join(''));
    if (answers.some(({ confirmed }) => !confirmed)) process.exitCode = EXIT.notSo;
  });
}

function registerMessage(fleet: Command, name: FleetMessageName, description: string): Command {
  const command = base(fleet, name, description);
  // With arguments they come first; the options are last but for the command itself.
  return command.action(async (...given: unknown[]) => {
    const options = given.at(-2) as Options;
    const regions = (given.length > 2 ? given[0] : []) as readonly string[];
    const message = { ...messageOf(options), ...(regions.length === 0 ? {} : { regions }) };
    tellLine(command, options.fleet, name, message);
    const { update } = await import('./clientCalls.js');
    const outcome = await connected(command, (client) => update(client, options.fleet, name, message));
    if (options.format === 'json') printJson(outcome);
    else process.stdout.write(`${outcome.accepted ? 'done' : 'refused'}: ${outcome.detail}\n`);
    if (!outcome.accepted) process.exitCode = EXIT.notSo;
  });
}

function base(fleet: Command, name: string, description: string): Command {
  return fleet
    .command(name)
    .description(description)
    .requiredOption('--why <text>', 'reason, kept in the record')
    .option('--who <name>', 'who sends it', userInfo().username)
    .option('--key <key>', 'idempotency key; sending the same one twice is harmless')
    .option('--fleet <id>', 'workflow id of the coordinator', 'fleet')
    .addOption(format());
}

function messageOf({ key, who, why }: Options): MessageBase {
  return { key: key ?? randomUUID(), who, why };
}

function tellLine(command: Command, fleet: string, name: string, message: MessageBase): void {
  const flags = connectionFlags(choiceOf(command));
  process.stderr.write(
    `temporal workflow update execute --workflow-id ${fleet} --name ${name} --input ${quoted(JSON.stringify(message))}${flags}\n`,
  );
}

async function connected<T>(command: Command, use: (client: Client) => Promise<T>): Promise<T> {
  const { withClient } = await import('./regionClient.js');
  return withClient(use, choiceOf(command));
}

function format(): Option {
  return new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text');
}

function answerLine({ region, confirmed, detail }: RegionAnswer): string {
  return `${region}  ${confirmed ? 'confirmed' : 'NOT CONFIRMED'}  ${detail}\n`;
}

/** What a person on call reads first, first. */
export function fleetText({
  fleet,
  freeze,
  granted,
  maxConcurrentChanges,
  regions,
  rollout,
  waiting,
  refused,
}: FleetStatus): string {
  const lines = [
    `fleet ${fleet}: ${granted.length} of ${maxConcurrentChanges} permits out, ${waiting.length} wait, ${regions.length} regions known`,
    ...(freeze === null ? [] : [`FROZEN by ${freeze.who} since ${freeze.since}: ${freeze.why}`]),
    ...granted.map(({ region, what, until }) => `  ${region} changes (${what}), until ${until} at most`),
    ...waiting.map(({ region, what, since, why }) => `  ${region} waits (${what}) since ${since}: ${why}`),
    ...(rollout === null ? [] : rolloutLines(rollout)),
    ...(refused.total === 0 ? [] : [`refused messages: ${refused.total}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function rolloutLines({ detail, key, regions, stages, state, who }: NonNullable<FleetStatus['rollout']>): string[] {
  const told = (region: string): string => {
    const { state: progress = 'waiting', detail: why = '' } = regions[region] ?? {};
    return `${region} ${progress}${progress === 'failed' ? ` (${why})` : ''}`;
  };
  return [
    `rollout ${key} by ${who}: ${state}, ${detail}`,
    ...stages.map((stage, index) => `  stage ${index + 1}: ${stage.map(told).join(', ')}`),
  ];
}
