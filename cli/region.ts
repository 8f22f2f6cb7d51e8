import type { Command } from 'commander';
import type { RegionExplanation } from '../workflows/regionLifecycle/explain.js';
import { workerConfig } from '../workers/config.js';
import type { ConnectionChoice } from './connection.js';
import { choiceOf, connectionOptions } from './connection.js';
import { explainSetting, settingText } from './explainSetting.js';
import { explainText } from './explainText.js';
import { MESSAGE_COMMANDS } from './messageCommands.js';
import { duration, formatOption } from './options.js';
import { EXIT, printJson } from './output.js';
import { registerMessage } from './registerMessage.js';
import type { RegionRow } from './regionRow.js';
import { registerStart } from './regionStart.js';
import { statusText } from './statusText.js';
import { Told } from './told.js';

type Format = 'text' | 'json';

/** Everything here is a plain Temporal message: each command prints the `temporal` line that does the same. */
export function registerRegion(program: Command): void {
  const region = connectionOptions(program.command('region').description('launch, watch and steer regions'));
  registerStart(region);
  registerList(region);
  registerStatus(region);
  registerWatch(region);
  registerExplain(region);
  for (const message of MESSAGE_COMMANDS) registerMessage(region, message);
}

function registerList(region: Command): void {
  const command = region
    .command('list')
    .description('the regions that run, by what the server knows of them; no worker is asked')
    .option('--all', 'those that have ended too', false)
    .addOption(formatOption());
  command.action(async ({ all, format }: { all: boolean; format: Format }) => {
    const { listRegions } = await import('./listRegions.js');
    const rows = await listRegions(all, choiceOf(command));
    if (format === 'json') printJson({ regions: rows });
    else process.stdout.write(rows.length === 0 ? 'no region runs\n' : rows.map(rowLine).join(''));
  });
}

function rowLine({ region, phase, blockedReason, status, execution, startedAt, closedAt }: RegionRow): string {
  const what = blockedReason === null ? phase : `${phase} (${blockedReason})`;
  const since = closedAt === null ? `since ${startedAt}` : `${execution.toLowerCase()} ${closedAt}`;
  const more = status === null || status === phase ? '' : `  ${status}`;
  return `${region}  ${what}  ${since}${more}\n`;
}

function registerStatus(region: Command): void {
  const command = region
    .command('status')
    .description('phase, block, settings in force, deployments')
    .argument('<region>', 'region name')
    .addOption(formatOption());
  command.action(async (name: string, { format }: { format: Format }) => {
    const { regionStatus } = await import('./regionClient.js');
    const status = await regionStatus(name, choiceOf(command));
    if (format === 'json') printJson(status);
    else process.stdout.write(statusText(status));
  });
}

function registerWatch(region: Command): void {
  const command = region
    .command('watch')
    .description('show the region live until Ctrl-C; where the output is no terminal, each change as a line')
    .argument('<region>', 'region name')
    .option('--every <time>', 'how often to look: 500ms, 2s, 1m', duration, 2000)
    .addOption(formatOption());
  command.action(async (name: string, { every, format }: { every: number; format: Format }) => {
    const { watchRegion } = await import('./watch.js');
    process.exitCode = await watchRegion(name, { everyMs: every, format, choice: choiceOf(command) });
  });
}

function registerExplain(region: Command): void {
  const command = region
    .command('explain')
    .description('why the region, a service or a setting is as it is, and what comes next')
    .argument('<region>', 'region name')
    .argument('[what]', '<service>, <service>.<field> or <service>.weight.<region>; absent: the region')
    .option('--state <dir>', 'state folder of the worker, where its plans are')
    .addOption(formatOption());
  command.action(async (name: string, what: string | undefined, options: { state?: string; format: Format }) => {
    const choice = choiceOf(command);
    const { regionExplanation } = await import('./regionClient.js');
    const explained = await regionExplanation(name, choice);
    if (explained === null) {
      throw new Told(`the worker of region ${name} is of a build without explain: "psmg region status ${name}"`);
    }
    if (what === undefined || !what.includes('.')) return tellRegion(explained, what, options.format);
    await tellSetting(what, explained, options, choice);
  });
}

function tellRegion(explained: RegionExplanation, service: string | undefined, format: Format): void {
  const { services } = explained.names;
  if (service !== undefined && !services.includes(service)) {
    throw new Told(`no service "${service}" here (one of ${services.join(', ')})`, EXIT.badInput);
  }
  if (format === 'json') printJson(explained);
  else process.stdout.write(explainText(explained, service));
}

async function tellSetting(
  address: string,
  explained: RegionExplanation,
  { state, format }: { state?: string; format: Format },
  choice: ConnectionChoice,
): Promise<void> {
  const { adjustmentStatus } = await import('./regionClient.js');
  const adjustment = await adjustmentStatus(explained.region, choice);
  const told = await explainSetting({
    address,
    explained,
    adjustments: adjustment?.adjustments ?? (explained.tuner.state === 'not-started' ? [] : null),
    stateDirectory: state ?? workerConfig(process.env, process.cwd()).stateDirectory,
  });
  if (format === 'json') printJson(told);
  else process.stdout.write(settingText(told));
}
