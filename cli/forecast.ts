import { readFile } from 'node:fs/promises';

import type { Command } from 'commander';

import { createCsvHistory } from '../adapters/history/csv.js';
import { readRegressorsFile } from '../adapters/history/regressors.js';
import { eventsWindow } from '../core/forecast/events/degrade.js';
import type { EventsFileOptions } from '../core/forecast/events/eventsFile.js';
import { parseEventsFile } from '../core/forecast/events/eventsFile.js';
import type { ForecastInput } from '../core/forecast/prepareRegion.js';
import { callsByEntry } from '../core/graph/propagate.js';
import type { RegressorSample } from '../core/spec/csvRegressors.js';
import type { DemandSample } from '../core/spec/csvDemand.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import type { Problem, Result } from '../core/spec/problem.js';
import { refused } from '../core/spec/problem.js';
import type { EventSpec } from '../core/spec/region.js';
import { forecastReport } from './forecastReport.js';
import type { ForecastOptions, RawForecastOptions } from './forecastOptions.js';
import { readForecastOptions } from './forecastOptions.js';
import { runForecast } from './forecastRun.js';
import { graphOfFiles } from './graph.js';
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
    .option('--graph <source...>', 'service graph as for psmg graph: forecasts are made to agree along it where better')
    .option('--borrow <file...>', 'history of another region, whose shape a service with too little of its own borrows')
    .option('--memory <folder>', 'keeps choices of models and the trained network from one forecast to the next')
    .option('--train', 'train the network of all services first, if there is none or it has missed what is new')
    .option('--at <time>', 'forecast as if it were this moment: nothing later is looked at')
    .option('--region <name>', 'for events that concern some regions only; without it those are left out')
    .option('--format <format>', 'json or table', 'table')
    .action(async (raw: RawForecastOptions) => {
      const format = raw.format === 'json' ? 'json' : 'text';
      const { options, problems } = readForecastOptions(raw);
      const input = await readInput(options);
      const all = [...problems, ...input.problems];
      if (all.length > 0) return refuse(all, format);
      const result = await runForecast(input.value, { memory: options.memory, train: options.train });
      if (!result.ok) return refuse(result.problems, format);
      if (format === 'json') printJson(result.value);
      else process.stdout.write(forecastReport(result.value, input.value));
      process.exitCode = EXIT.ok;
    });
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
  const borrowed: DemandSample[] = [];
  for (const file of options.borrow) {
    const read = await history.read({ kind: 'csv', file, stepSeconds: options.stepSeconds });
    for (const row of read.rows) borrowed.push(row);
    problems.push(...read.problems);
  }
  const graph = options.graph.length === 0 ? null : await graphOfFiles(options.graph);
  if (graph !== null && !graph.ok) problems.push(...graph.problems);
  const value: ForecastInput = {
    rows,
    stepSeconds: options.stepSeconds,
    horizonSteps: options.horizonSteps,
    seasons: options.seasons,
    events,
    regressors,
    timeZone: options.timeZone.name,
    regionName: options.region,
    ...(borrowed.length === 0 ? {} : { borrow: { rows: borrowed } }),
    ...(graph?.ok === true ? { calls: callsOf(graph.value) } : {}),
    ...(options.atMs === undefined ? {} : { at: options.atMs }),
    ...(options.models === undefined ? {} : { models: options.models }),
  };
  return { value, problems };
}

/** Requests enter where nobody calls. */
function callsOf(graph: ServiceGraph): NonNullable<ForecastInput['calls']> {
  const called = new Set(graph.edges.map((edge) => edge.callee));
  const entries = graph.services.filter((service) => !called.has(service));
  return { byService: callsByEntry(graph, entries), entries };
}

async function readEvents(file: string, options: EventsFileOptions): Promise<Result<readonly EventSpec[]>> {
  try {
    return parseEventsFile(await readFile(file, 'utf8'), file, options);
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return refused([{ code: 'unreadable', file, field: '(file)', message }]);
  }
}
