import type { ArtifactStore } from '../adapters/artifacts/port.js';
import type { ForecastMemory } from '../adapters/memory/port.js';
import type { ServiceChoice } from '../core/forecast/ensemble/choice.js';
import type { LstmModel } from '../core/forecast/members/lstm/model.js';
import { parseLstmModel } from '../core/forecast/members/lstm/model.js';
import type { ArtifactRef } from '../core/spec/artifact.js';

/** What earlier forecasts of a region left behind. */
export interface Remembered {
  choices?: readonly ServiceChoice[];
  lstm?: LstmModel;
}

export interface MemoryPorts {
  memory: ForecastMemory;
  artifacts: ArtifactStore;
}

/** What is lost or damaged is chosen and trained anew. */
export async function recall({ memory, artifacts }: MemoryPorts, region: string): Promise<Remembered> {
  const refs = await memory.recall(region);
  const read = async <T>(ref: ArtifactRef | undefined): Promise<T | undefined> =>
    ref === undefined ? undefined : artifacts.getJson<T>(ref).catch(() => undefined);
  const choices = await read<readonly ServiceChoice[]>(refs.choices);
  const lstm = parseLstmModel(await read<unknown>(refs.lstm));
  return { ...(choices === undefined ? {} : { choices }), ...(lstm.ok ? { lstm: lstm.value } : {}) };
}

/** Stores what is given and makes it the region's newest; the rest stays. */
export async function remember(
  { memory, artifacts }: MemoryPorts,
  region: string,
  { choices, lstm }: Remembered,
): Promise<void> {
  await memory.remember(region, {
    ...(choices === undefined ? {} : { choices: await artifacts.putJson('forecast-choices', choices) }),
    ...(lstm === undefined ? {} : { lstm: await artifacts.putJson('lstm', lstm) }),
  });
}
