import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { workerConfig } from '../workers/config.js';
import type { MessageName } from '../workflows/regionLifecycle/messages.js';
import { regionWorkflowId } from '../workflows/shared/names.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import { EXIT, printJson, refuse } from './output.js';
import { statusText } from './statusText.js';

interface MessageOptions {
  why: string;
  who: string;
  key?: string;
  format: 'text' | 'json';
}

/** Everything here is a plain Temporal message: each command prints the `temporal` line that does the same. */
export function registerRegion(program: Command): void {
  const region = program.command('region').description('launch, watch and steer regions');
  registerStart(region);
  registerStatus(region);
  registerMessage(region, 'freeze', 'stop every automatic change until resume');
  registerMessage(region, 'resume', 'allow automatic changes again');
  registerMessage(region, 'replan', 'forecast and plan anew, and put the new plan in force');
  registerMessage(region, 'retry', 'at a block: try the failed step again');
  registerMessage(region, 'skip', 'at a block: go on without the failed step, where that is safe');
  registerMessage(region, 'abort', 'at a block: send the users back and end');
  registerMessage(region, 'override', 'set one live setting: ADDRESS VALUE', ['address', 'value']).option(
    '--until <time>',
    'ISO 8601 with zone; absent: until cleared',
  );
  registerMessage(region, 'clear-override', 'give a setting back to the program: ADDRESS', ['address']);
  registerMessage(region, 'rollback', 'put an earlier deployment back: ID, "previous" or "0"', ['to']);
}

function registerStart(region: Command): void {
  region
    .command('start')
    .description('launch the life of a region from its file')
    .argument('<file>', 'region file')
    .option('--format <format>', 'text or json', 'text')
    .action(async (file: string, options: { format: 'text' | 'json' }) => {
      const text = await readFile(file, 'utf8');
      const parsed = parseRegion(text, file);
      if (!parsed.ok) return refuse(parsed.problems, options.format);
      const { name } = parsed.value;
      const { startRegion } = await import('./regionClient.js');
      const started = await startRegion(name, text, workerConfig(process.env, process.cwd()).taskQueue);
      if (options.format === 'json') printJson(started);
      else process.stdout.write(`started ${started.workflowId} (run ${started.runId})\n`);
    });
}

function registerStatus(region: Command): void {
  region
    .command('status')
    .description('phase, block, settings in force, deployments')
    .argument('<region>', 'region name')
    .option('--format <format>', 'text or json', 'text')
    .action(async (name: string, options: { format: 'text' | 'json' }) => {
      const { regionStatus } = await import('./regionClient.js');
      const status = await regionStatus(name);
      if (options.format === 'json') printJson(status);
      else process.stdout.write(statusText(status));
    });
}

function registerMessage(
  region: Command,
  name: MessageName,
  description: string,
  fields: readonly string[] = [],
): Command {
  const command = region.command(name).description(description).argument('<region>', 'region name');
  for (const field of fields) command.argument(`<${field}>`);
  return command
    .requiredOption('--why <text>', 'reason, kept in the record')
    .option('--who <name>', 'who sends it', userInfo().username)
    .option('--key <key>', 'idempotency key; sending the same one twice is harmless')
    .option('--format <format>', 'text or json', 'text')
    .action(async (target: string, ...rest: unknown[]) => {
      const values = rest.slice(0, fields.length) as string[];
      const options = rest[fields.length] as MessageOptions & { until?: string };
      const message: Record<string, unknown> = {
        key: options.key ?? randomUUID(),
        who: options.who,
        why: options.why,
        ...Object.fromEntries(
          fields.map((field, i) => [field, field === 'value' ? numeric(values[i] ?? '') : values[i]]),
        ),
        ...(options.until === undefined ? {} : { until: options.until }),
      };
      await send(target, name, message, options.format);
    });
}

function numeric(text: string): number | string {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : text;
}

async function send(region: string, name: MessageName, message: unknown, format: 'text' | 'json'): Promise<void> {
  const line = `temporal workflow update execute --workflow-id ${regionWorkflowId(region)} --name ${name} --input '${JSON.stringify(message)}'`;
  process.stderr.write(`${line}\n`);
  const { sendMessage } = await import('./regionClient.js');
  const outcome = await sendMessage(region, name, message);
  if (format === 'json') printJson(outcome);
  else process.stdout.write(`${outcome.accepted ? 'done' : 'refused'}: ${outcome.detail}\n`);
  if (!outcome.accepted) process.exitCode = EXIT.notSo;
}
