import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { forecastBy } from '../adapters/compute/forecastBy.js';
import { createThreadCompute } from '../adapters/compute/threads.js';
import { createCsvHistory } from '../adapters/history/csv.js';
import { readRegressorsFile } from '../adapters/history/regressors.js';
import { eventsWindow } from '../core/forecast/degrade.js';
import type { EventsFileOptions } from '../core/forecast/eventsFile.js';
import { parseEventsFile } from '../core/forecast/eventsFile.js';
import type { ForecastInput } from '../core/forecast/prepareRegion.js';
import type { RegressorSample } from '../core/spec/csvRegressors.js';
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
    .option(
      '--events <file...>',
      'known ahead: CSV id,kind,start,end[,regions,services,uplift,channel,budget], iCalendar or JSON',
    )
    .option('--regressors <file...>', 'CSV timestamp[,service],name… of values known over history and horizon')
    .option('--time-zone <name>', 'IANA name of the clocks that demand and calendar days go by', 'UTC')
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

/** Fewer services are forecast before threads would have started. */
const FEW_SERVICES = 8;

async function forecast(input: ForecastInput): Promise<Result<DemandForecast>> {
  const compute = createThreadCompute({ inlineBelow: FEW_SERVICES });
  try {
    const progress = (done: number, total: number, word: string): void => {
      process.stderr.write(`${done} of ${total}: ${word}\n`);
    };
    const result = await forecastBy(compute, input, { progress });
    return result.ok ? ok(result.value.forecast) : result;
  } finally {
    await compute.close();
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
  const window = eventsWindow(rows, options.stepSeconds, options.horizonSteps, options.atMs);
  for (const file of options.events) {
    const read = await readEvents(file, { window, timeZone: options.timeZone });
    if (read.ok) events.push(...read.value);
    else problems.push(...read.problems);
  }
  const regressors: RegressorSample[] = [];
  for (const file of options.regressors) {
    const read = await readRegressorsFile(process.cwd(), file);
    for (const sample of read.samples) regressors.push(sample);
    problems.push(...read.problems);
  }
  const value: ForecastInput = {
    rows,
    stepSeconds: options.stepSeconds,
    horizonSteps: options.horizonSteps,
    seasons: options.seasons,
    events,
    regressors,
    timeZone: options.timeZone.name,
    regionName: options.region,
    ...(options.atMs === undefined ? {} : { at: options.atMs }),
    ...(options.models === undefined ? {} : { models: options.models }),
  };
  return { value, problems };
}

async function readEvents(file: string, options: EventsFileOptions): Promise<Result<readonly EventSpec[]>> {
  try {
    return parseEventsFile(await readFile(file, 'utf8'), file, options);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return refused([{ code: 'unreadable', file, field: '(file)', message }]);
  }
}
