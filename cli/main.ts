import { CommanderError, Command } from 'commander';
import { forecastOf } from '../activities/forecastRegion.js';
import { createCsvHistory } from '../adapters/history/csv.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import { releaseHash } from '../core/spec/hash.js';
import type { Result } from '../core/spec/problem.js';
import type { RegionSpec } from '../core/spec/region.js';
import { DELIVERIES } from '../delivery/registry.js';
import { registerCatalog } from './catalog.js';
import { registerForecast } from './forecast.js';
import { registerGraph } from './graph.js';
import { EXIT } from './output.js';
import { registerPlan } from './plan.js';
import { registerRegion } from './region.js';
import { registerReplay } from './replay.js';
import { registerValidate } from './validate.js';
import { registerWorker } from './worker.js';

function createProgram(): Command {
  const program = new Command('psmg')
    .description('gives a region its service mesh before the region needs it')
    .showHelpAfterError()
    .exitOverride();
  registerForecast(program);
  registerGraph(program);
  registerPlan(program, {
    forecast: forecastFromFile,
    renderDelivery: (region, perHost) =>
      DELIVERIES[region.delivery.tool]({
        region,
        deployment: {
          region: region.name,
          deploymentId: 'preview',
          epoch: 1,
          expectedHash: null,
          releaseHash: releaseHash(perHost),
        },
        releases: perHost,
      }),
  });
  registerValidate(program);
  registerRegion(program);
  registerWorker(program);
  registerReplay(program);
  registerCatalog(program);
  return program;
}

/** The same forecast as the worker's, from files below the working directory. */
async function forecastFromFile(region: RegionSpec, at?: string): Promise<Result<DemandForecast>> {
  const { loadForecastEngines } = await import('../adapters/wasm/augurs.js');
  const history = createCsvHistory(process.cwd());
  const atMs = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  return forecastOf({ history, engines: loadForecastEngines }, region, atMs);
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env['PSMG_DEBUG'] !== undefined && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`);
    process.exitCode = EXIT.notSo;
  }
}

// A reader that has seen enough (`psmg … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

await main();
