import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import type { ForecastCompute } from '../adapters/compute/port.js';
import { createThreadCompute } from '../adapters/compute/threads.js';
import { createFileMemory } from '../adapters/memory/file.js';
import { recall } from '../activities/forecastMemory.js';
import type { LstmTraining } from '../core/forecast/members/lstm/training.js';
import { createTrainer } from './trainer.js';

const HOUR_MS = 3_600_000;

function training(steps = 240): LstmTraining {
  const values = Array.from({ length: steps }, (_, hour) => 10 + 5 * Math.sin((2 * Math.PI * hour) / 24));
  return {
    series: [{ service: 'shop', history: { startMs: 0, stepMs: HOUR_MS, values }, regressors: [] }],
    seasons: [24],
    horizonSteps: 12,
    heldBackSteps: 36,
    seed: 1,
    limits: { epochs: 2, samplesPerEpoch: 20, hidden: 4, decoder: 4 },
  };
}

let folder: string;
let compute: ForecastCompute;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'psmg-trainer-'));
  compute = createThreadCompute({ threads: 1 });
});
afterEach(async () => {
  await compute.close();
  await rm(folder, { recursive: true, force: true });
});

function made(): {
  trainer: ReturnType<typeof createTrainer>;
  memory: ReturnType<typeof createFileMemory>;
  artifacts: ReturnType<typeof createFileArtifactStore>;
  log: string[];
  said: (count: number) => Promise<void>;
} {
  const memory = createFileMemory(path.join(folder, 'forecasts'));
  const artifacts = createFileArtifactStore(path.join(folder, 'artifacts'));
  const log: string[] = [];
  let told = (): void => undefined;
  const trainer = createTrainer({
    compute,
    memory,
    artifacts,
    log: (line) => {
      log.push(line);
      told();
    },
  });
  const said = async (count: number): Promise<void> => {
    while (log.length < count) await new Promise<void>((resolve) => (told = resolve));
  };
  return { trainer, memory, artifacts, log, said };
}

describe('createTrainer', () => {
  it('trains one region after the other, each as an artifact that its memory names', async () => {
    const { trainer, memory, artifacts, said } = made();
    trainer.offer('eu-west', training());
    trainer.offer('eu-north', training());
    trainer.offer('eu-north', training());
    await said(2);
    for (const region of ['eu-west', 'eu-north']) {
      expect((await recall({ memory, artifacts }, region)).lstm).toMatchObject({ seasons: [24], stepSeconds: 3600 });
    }
    await trainer.stop();
  });

  it('goes on after a training that is refused, and says why', async () => {
    const { trainer, memory, log, said } = made();
    trainer.offer('short', training(30));
    await said(1);
    expect(log[0]).toMatch(/network of short was not trained: .*history/);
    expect(await memory.recall('short')).toEqual({});
    trainer.offer('eu-west', training());
    await said(2);
    expect(log[1]).toMatch(/trained the network of eu-west on 1 services/);
    await trainer.stop();
  });

  it('stops in the middle of a training, and takes no more', async () => {
    const { trainer, memory, log } = made();
    const long = training(2000);
    trainer.offer('eu-west', { ...long, limits: { epochs: 500, samplesPerEpoch: 2000, hidden: 16, decoder: 16 } });
    await trainer.stop();
    trainer.offer('eu-north', training());
    expect(await memory.recall('eu-west')).toEqual({});
    expect(log).toEqual([]);
  });
});
