import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { createCsvHistory } from '../adapters/history/csv.js';
import { loadForecastEngines } from '../adapters/wasm/augurs.js';
import { parseEventsFile } from '../core/forecast/eventsFile.js';
import { forecastInSteps } from '../core/forecast/forecast.js';
import type { ForecastInput } from '../core/forecast/forecast.js';
import type { DemandSample } from '../core/spec/csvDemand.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { ok, refused } from '../core/spec/problem.js';
import type { EventSpec } from '../core/spec/region.js';
import { forecastTable } from './forecastTable.js';
import type { ForecastOptions, RawForecastOptions } from './forecastOptions.js';
import { readForecastOptions } from './forecastOptions.js';
import { EXIT, printJson, refuse } from './output.js';

export function registerForecast(program: Command): void {
  program
    .command('forecast')
    .description('forecast demand by service and step, as quantiles, with the trust that a back-test earned')
    .option('--history <file...>', 'long CSV timestamp,service,rps; ISO 8601 with a zone')
    .option('--horizon <steps>', 'steps ahead')
    .option('--step <length>', 'length of a step', '1h')
    .option('--season <steps>', 'season lengths in steps, by comma; a day and a week unless given')
    .option('--events <file...>', 'known ahead: CSV id,kind,start,end[,regions,services,uplift] or JSON')
    .option('--regressors <file...>', 'not read yet')
    .option('--models <names>', 'auto (all, weighted by their back-test), or names by comma', 'auto')
    .option('--at <time>', 'forecast as if it were this moment: nothing later is looked at')
    .option('--region <name>', 'for events that concern some regions only; without it those are left out')
    .option('--format <format>', 'json or table', 'table')
    .action(async (raw: RawForecastOptions) => {
      const format = raw.format === 'json' ? 'json' : 'text';
      const { options, problems } = readForecastOptions(raw);
      const input = await readInput(options);
      const all = [...problems, ...input.problems];
      if (all.length > 0) return refuse(all, format);
      const result = await forecast(input.value);
      if (!result.ok) return refuse(result.problems, format);
      if (format === 'json') printJson(result.value);
      else process.stdout.write(forecastTable(result.value));
      process.exitCode = EXIT.ok;
    });
}

async function forecast(input: ForecastInput): Promise<Result<DemandForecast>> {
  const steps = forecastInSteps(input, await loadForecastEngines());
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.ok ? ok(step.value.value.forecast) : step.value;
    process.stderr.write(`${step.value}\n`);
  }
}

async function readInput(options: ForecastOptions): Promise<{ value: ForecastInput; problems: readonly Problem[] }> {
  const rows: DemandSample[] = [];
  const events: EventSpec[] = [];
  const problems: Problem[] = [];
  const history = createCsvHistory(process.cwd());
  for (const file of options.history) {
    const read = await history.read({ kind: 'csv', file, stepSeconds: options.stepSeconds });
    for (const row of read.rows) rows.push(row);
    problems.push(...read.problems);
  }
  for (const file of options.events) {
    const read = await readEvents(file);
    if (read.ok) events.push(...read.value);
    else problems.push(...read.problems);
  }
  const value: ForecastInput = {
    rows,
    stepSeconds: options.stepSeconds,
    horizonSteps: options.horizonSteps,
    seasons: options.seasons,
    events,
    regionName: options.region,
    ...(options.atMs === undefined ? {} : { at: options.atMs }),
    ...(options.models === undefined ? {} : { models: options.models }),
  };
  return { value, problems };
}

async function readEvents(file: string): Promise<Result<readonly EventSpec[]>> {
  try {
    return parseEventsFile(await readFile(file, 'utf8'), file);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return refused([{ code: 'unreadable', file, field: '(file)', message }]);
  }
}
