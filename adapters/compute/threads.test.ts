import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadForecastEngines } from '../wasm/augurs.js';
import { forecastComputeContract, job } from './contract.js';
import { ComputeClosedError, ThreadStartError } from './errors.js';
import type { ForecastCompute } from './port.js';
import type { ThreadComputeOptions } from './threads.js';
import { createThreadCompute } from './threads.js';

forecastComputeContract('Two threads', () => createThreadCompute({ threads: 2 }), loadForecastEngines);

describe('threads', () => {
  let compute: ForecastCompute | undefined;
  afterEach(async () => compute?.close());

  /** Reasons of the outcomes of jobs with these names, by threads that do what the names say. */
  async function reasons(services: readonly string[], options: ThreadComputeOptions = {}): Promise<string[]> {
    compute = createThreadCompute({ threads: 1, entry: faulty, ...options });
    const outcomes = await compute.draft({ jobs: services.map((service) => job(service, 1)) });
    return outcomes.map((outcome) => (outcome.kind === 'none' ? outcome.reason : 'a draft'));
  }
  const faulty = new URL('./fixtures/faultyThread.mjs', import.meta.url);

  it('take a task again, in a fresh one, when theirs has ended', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'psmg-compute-'));
    const [before, once, after] = await reasons(['fine', `ends-once:${path.join(folder, 'was')}`, 'fine']);
    expect(once).toMatch(/^thread \d+$/);
    expect(once).not.toBe(before);
    expect(after).toBe(once);
    rmSync(folder, { recursive: true });
  });

  it('give the reason for a task that ends every thread, and the others go on', async () => {
    const [first, ends, last] = await reasons(['fine', 'ends', 'fine'], { threads: 2 });
    expect(ends).toBe('its thread ended 2 times: it ended with code 3');
    expect([first, last]).toEqual([expect.stringMatching(/^thread/), expect.stringMatching(/^thread/)]);
  });

  it('outlive a task that takes more memory than there is', async () => {
    const [devours, fine] = await reasons(['devours', 'fine'], { mostHeapMiB: 64 });
    expect(devours).toContain('memory limit');
    expect(fine).toMatch(/^thread/);
  });

  it('end a task that hangs', async () => {
    const [hangs, fine] = await reasons(['hangs', 'fine'], { mostStepMs: 300 });
    expect(hangs).toBe('its thread ended 2 times: no step within 0.3 s');
    expect(fine).toMatch(/^thread/);
  });

  it('lose no more than the task that throws', async () => {
    const [first, throws, last] = await reasons(['fine', 'throws', 'fine']);
    expect(throws).toBe('the forecast failed: a bug');
    expect(last).toBe(first);
  });

  it('are replaced once an engine has trapped', async () => {
    const [first, trapped, last] = await reasons(['fine', 'traps', 'fine']);
    expect(trapped).toBe(first);
    expect(last).not.toBe(first);
  });

  it('share the work: a slow task holds no other', async () => {
    compute = createThreadCompute({ threads: 2, entry: faulty });
    const cancel = new AbortController();
    const slow = expect(compute.draft({ jobs: [job('works', 1)] }, { signal: cancel.signal })).rejects.toBe('over');
    expect(await compute.draft({ jobs: ['a', 'b', 'c'].map((service) => job(service, 1)) })).toHaveLength(3);
    cancel.abort('over');
    await slow;
  });

  it.each(['works', 'hangs'])('stop one that %s when they are told to', async (service) => {
    compute = createThreadCompute({ threads: 2, entry: faulty, stopGraceMs: 100 });
    const cancel = new AbortController();
    const jobs = [service, service, 'never begun'].map((name) => job(name, 1));
    const run = { signal: cancel.signal, progress: () => cancel.abort(new Error('enough')) };
    await expect(compute.draft({ jobs }, run)).rejects.toThrow('enough');
    expect(await compute.draft({ jobs: [job('fine', 1)] })).toHaveLength(1);
  });

  it('end with the compute, at whatever they are', async () => {
    compute = createThreadCompute({ threads: 1, entry: faulty });
    let end = (): void => {};
    const begun = new Promise<void>((resolve) => {
      end = resolve;
    });
    const hanging = expect(compute.draft({ jobs: [job('hangs', 1)] }, { progress: end })).rejects.toThrow(
      ComputeClosedError,
    );
    await begun;
    await compute.close();
    await hanging;
  });

  it('that cannot start reject the request, with the cause', async () => {
    compute = createThreadCompute({ entry: new URL('./fixtures/brokenThread.mjs', import.meta.url) });
    const drafts = compute.draft({ jobs: [job('a', 1), job('b', 1)] });
    await expect(drafts).rejects.toThrow(ThreadStartError);
    await expect(drafts).rejects.toThrow('the engines are not there');
  });

  it('that end in a training refuse it', async () => {
    compute = createThreadCompute({ threads: 1, entry: faulty });
    const training = { series: [], seasons: [24], horizonSteps: 24, heldBackSteps: 24, seed: 1 };
    expect(await compute.train(training)).toMatchObject({ ok: false, problems: [{ code: 'training-lost' }] });
  });

  it('are not started for a request that is smaller than told', async () => {
    const broken = new URL('./fixtures/brokenThread.mjs', import.meta.url);
    compute = createThreadCompute({ entry: broken, inlineBelow: 2 });
    const outcomes = await compute.draft({ jobs: [job('a', 200)], models: ['seasonal-naive'] });
    expect(outcomes[0]?.kind).toBe('draft');
  });
});
