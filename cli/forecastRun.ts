import path from 'node:path';

import { readNetwork } from '../activities/forecastOf.js';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import type { ArtifactStore } from '../adapters/artifacts/port.js';
import type { ForecastCompute } from '../adapters/compute/port.js';
import { createThreadCompute } from '../adapters/compute/threads.js';
import { createFileMemory } from '../adapters/memory/file.js';
import type { ForecastMemory } from '../adapters/memory/port.js';
import type { ServiceChoice } from '../core/forecast/ensemble/choice.js';
import type { LstmModel } from '../core/forecast/members/lstm/model.js';
import { networkTraining } from '../core/forecast/networkTraining.js';
import type { ForecastInput, PreparedRegion } from '../core/forecast/prepareRegion.js';
import { finishPrepared, prepareRegion } from '../core/forecast/prepareRegion.js';
import type { ArtifactRef } from '../core/spec/artifact.js';
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
  const kept = options.memory === undefined ? null : openMemory(options.memory, input.regionName);
  const choices = await kept?.read<readonly ServiceChoice[]>('choices');
  let lstm = readNetwork(await kept?.read<unknown>('lstm'));
  const prepared = prepareRegion({ ...input, ...(choices === undefined ? {} : { kept: choices }) });
  if (!prepared.ok) return prepared;
  const compute = createThreadCompute({ inlineBelow: FEW_SERVICES });
  try {
    if (options.train) {
      const trained = await train(compute, prepared.value, choices, lstm);
      if (trained !== null && !trained.ok) return trained;
      lstm = trained?.value ?? lstm;
      if (trained !== null) await kept?.write('lstm', trained.value);
    }
    const { jobs, elsewhere } = prepared.value;
    const outcomes = await compute.draft(
      {
        jobs: [...jobs, ...elsewhere],
        ...(input.models === undefined ? {} : { models: input.models }),
        ...(lstm === undefined ? {} : { lstm }),
      },
      { progress: tell },
    );
    const finished = finishPrepared(prepared.value, outcomes);
    await kept?.write('choices', finished.choices);
    return ok(finished.forecast);
  } finally {
    await compute.close();
  }
}

async function train(
  compute: ForecastCompute,
  { jobs }: PreparedRegion,
  choices: readonly ServiceChoice[] | undefined,
  lstm: LstmModel | undefined,
): Promise<Result<LstmModel> | null> {
  const training = networkTraining(jobs, {
    ...(choices === undefined ? {} : { choices }),
    ...(lstm === undefined ? {} : { lstm }),
  });
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

interface OpenMemory {
  read<T>(name: 'choices' | 'lstm'): Promise<T | undefined>;
  write(name: 'choices' | 'lstm', value: unknown): Promise<void>;
}

function openMemory(folder: string, region: string): OpenMemory {
  const artifacts: ArtifactStore = createFileArtifactStore(path.join(folder, 'artifacts'));
  const memory: ForecastMemory = createFileMemory(path.join(folder, 'forecasts'));
  const key = region === '' ? 'region' : region;
  const get = async <T>(ref: ArtifactRef | undefined): Promise<T | undefined> =>
    ref === undefined ? undefined : artifacts.getJson<T>(ref).catch(() => undefined);
  return {
    read: async (name) => get((await memory.recall(key))[name]),
    write: async (name, value) => memory.remember(key, { [name]: await artifacts.putJson(name, value) }),
  };
}
