import path from 'node:path';

import type { MemoryPorts, Remembered } from '../activities/forecastMemory.js';
import { recall, remember } from '../activities/forecastMemory.js';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import { forecastBy } from '../adapters/compute/forecastBy.js';
import type { ForecastCompute } from '../adapters/compute/port.js';
import { createThreadCompute } from '../adapters/compute/threads.js';
import { createFileMemory } from '../adapters/memory/file.js';
import type { LstmModel } from '../core/forecast/members/lstm/model.js';
import { networkTraining } from '../core/forecast/networkTraining.js';
import type { ForecastInput, PreparedRegion } from '../core/forecast/prepareRegion.js';
import { prepareRegion } from '../core/forecast/prepareRegion.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { Result } from '../core/spec/problem.js';
import { ok } from '../core/spec/problem.js';

export interface RunOptions {
  /** Folder that keeps choices and network from one forecast to the next; absent: nothing is kept. */
  memory: string | undefined;
  /** Train the region's network first where it has none, or one that has missed what is new. */
  train: boolean;
}

/** Fewer services are forecast before threads would have started. */
const FEW_SERVICES = 8;

/** Forecasts, with what earlier ones left in the memory folder, and leaves there what the next one can use. */
export async function runForecast(input: ForecastInput, options: RunOptions): Promise<Result<DemandForecast>> {
  const kept = options.memory === undefined ? null : openMemory(options.memory);
  const region = input.regionName === '' ? 'region' : input.regionName;
  const remembered = kept === null ? {} : await recall(kept, region);
  const { choices } = remembered;
  const prepared = prepareRegion({ ...input, ...(choices === undefined ? {} : { kept: choices }) });
  if (!prepared.ok) return prepared;
  const compute = createThreadCompute({ inlineBelow: FEW_SERVICES });
  try {
    const trained = options.train ? await train(compute, prepared.value, remembered) : null;
    if (trained !== null && !trained.ok) return trained;
    if (trained !== null && kept !== null) await remember(kept, region, { lstm: trained.value });
    const lstm = trained?.value ?? remembered.lstm;
    const { models } = input;
    const asked = { ...(models === undefined ? {} : { models }), ...(lstm === undefined ? {} : { lstm }) };
    const finished = await forecastBy(compute, prepared.value, asked, { progress: tell });
    if (kept !== null) await remember(kept, region, { choices: finished.choices });
    return ok(finished.forecast);
  } finally {
    await compute.close();
  }
}

async function train(
  compute: ForecastCompute,
  { jobs }: PreparedRegion,
  remembered: Remembered,
): Promise<Result<LstmModel> | null> {
  const training = networkTraining(jobs, remembered);
  if (training === null) {
    process.stderr.write('no network is trained: it is good, or the history is shorter than four longest seasons\n');
    return null;
  }
  process.stderr.write(`a network is trained: ${training.reason}\n`);
  return compute.train(training.input, { progress: tell });
}

function tell(done: number, total: number, word: string): void {
  process.stderr.write(`${done} of ${total}: ${word}\n`);
}

function openMemory(folder: string): MemoryPorts {
  return {
    artifacts: createFileArtifactStore(path.join(folder, 'artifacts')),
    memory: createFileMemory(path.join(folder, 'forecasts')),
  };
}
