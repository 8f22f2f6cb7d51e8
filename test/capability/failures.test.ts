import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { Problem } from '../../core/spec/problem.js';
import { projectRoot } from '../../testbed/run.js';
import { TASK_QUEUE, regionWorkflowId } from '../../workflows/shared/names.js';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { activitiesOf, completions } from './history.js';
import type { Place, Said } from './world.js';
import { startPlace } from './world.js';

const FIVE_MISTAKES = path.join(projectRoot, 'test', 'fixtures', 'regions', 'five-mistakes.yaml');
const MISTAKES = [
  { line: 5, field: 'autonomi' },
  { line: 14, field: 'delivery.hosts[0].proxy.ingress' },
  { line: 22, field: 'services[0].slo.p99Ms' },
  { line: 25, field: 'services[1].capacity.serviceTimeMs' },
  { line: 31, field: 'graph.edges[0].callee' },
];

function escaped(text: string): string {
  return text.replace(/[.[\]]/g, '\\$&');
}

/** The tests after the first follow one region through its misfortunes. */
describe('what goes wrong', () => {
  let place: Place;
  let obstacle: string;
  beforeAll(async () => {
    place = await startPlace();
    await place.startWorker();
    obstacle = path.dirname(place.host.directory);
  }, 90_000);
  afterAll(async () => {
    if (place !== undefined) removeObstacle();
    await place?.stop();
  }, 60_000);

  function removeObstacle(): void {
    if (existsSync(obstacle) && statSync(obstacle).isFile()) rmSync(obstacle);
  }

  async function blocked(reason: string): Promise<RegionStatus> {
    return place.until(`blocked by ${reason}`, 90_000, (status) => status.blocked?.reason === reason);
  }

  async function retry(): Promise<unknown> {
    return place.psmgJson('region', 'retry', place.world.spec.name, '--why', 'mended');
  }

  async function target(...args: string[]): Promise<Record<string, unknown>> {
    const script = path.join(place.host.directory, 'bin', 'psmg_target.py');
    const said = await place.run(place.host.python, script, ...args);
    return JSON.parse(said.stdout) as Record<string, unknown>;
  }

  /** The attributes by which people find a region that waits for them. */
  async function searchAttributes(): Promise<Record<string, unknown>> {
    const { stdout } = await place.temporal('workflow', 'describe', '-w', place.region.workflowId, '-o', 'json');
    const { workflowExecutionInfo } = JSON.parse(stdout) as {
      workflowExecutionInfo: { searchAttributes: { indexedFields: Record<string, { data: string }> } };
    };
    const fields = Object.entries(workflowExecutionInfo.searchAttributes.indexedFields);
    return Object.fromEntries(fields.map(([name, { data }]) => [name, JSON.parse(atob(data)) as unknown]));
  }

  it('names all five mistakes of a region file at once, and changes nothing', async () => {
    const hosts = path.join(place.world.directory, 'five');
    const text = readFileSync(FIVE_MISTAKES, 'utf8').replace('/var/lib/psmg/hosts/edge-1', path.join(hosts, 'edge-1'));
    expect(text).toContain(hosts);
    const file = path.join(place.world.directory, 'five-mistakes.yaml');
    writeFileSync(file, text);
    const id = regionWorkflowId('five-mistakes');
    const started = await place.temporal(
      ...['workflow', 'start', '--type', 'regionLifecycle', '--task-queue', TASK_QUEUE, '--workflow-id', id],
      ...['--input-file', file, '--input-meta', 'encoding=binary/plain'],
    );
    expect(started).toMatchObject({ code: 0 });
    const workflow = place.client.workflow.getHandle(id);
    const error = await workflow.result().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WorkflowFailedError);
    const { cause } = error as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({ type: 'invalid-region', nonRetryable: true });
    const lines = (cause?.message ?? '').split('\n');
    expect(lines).toEqual([
      expect.stringContaining('5 problems'),
      ...MISTAKES.map(({ line, field }) => expect.stringMatching(new RegExp(`:${line}:\\d+ ${escaped(field)}: .`))),
    ]);

    expect(await activitiesOf(workflow)).toEqual([]);
    expect(existsSync(hosts)).toBe(false);
    expect(existsSync(path.join(place.stateDirectory, 'deployments'))).toBe(false);
    expect(existsSync(path.join(place.stateDirectory, 'artifacts'))).toBe(false);

    const validated = await place.psmg('validate', FIVE_MISTAKES, '--format', 'json');
    expect(validated.code).toBe(2);
    const { problems } = JSON.parse(validated.stdout) as { problems: Problem[] };
    expect(problems.map(({ line, field }) => ({ line, field }))).toEqual(MISTAKES);
    for (const { message } of problems) expect(cause?.message).toContain(message);
  }, 60_000);

  it('parks a region whose playbook fails, with the words of Ansible', async () => {
    // A file where the folder of the hosts should be: nothing can be laid out below it.
    writeFileSync(obstacle, 'not a folder\n');
    await place.launch();
    const { blocked: why, phase } = await blocked('deploy-failed');
    expect(phase).toBe('blocked');
    expect(why).toMatchObject({ step: 'pre-deploy' });
    expect(why?.detail).toMatch(/edge-1: envoy_mesh : Make the folder that PSMG owns: .*Not a directory/s);
    expect(await searchAttributes()).toMatchObject({
      PsmgRegion: place.world.spec.name,
      PsmgPhase: 'blocked',
      PsmgBlockedReason: 'deploy-failed',
    });
  }, 150_000);

  it('refuses signals that it cannot read or does not know, says so in status, and goes on', async () => {
    const signal = (name: string, input: string, ...meta: string[]): Promise<Said> =>
      place.temporal('workflow', 'signal', '-w', place.region.workflowId, '--name', name, '--input', input, ...meta);
    const bogus = await signal('freeze', '{"key":"k","who":"ada","why":"x"}', '--input-meta', 'encoding=bogus/thing');
    expect(bogus.code).toBe(0);
    expect((await signal('frobnicate', '{"key":"f"}')).code).toBe(0);
    const { refused, freeze, blocked: why } = await place.status();
    expect(refused.total).toBe(2);
    expect(refused.last).toMatchObject([
      { name: 'freeze', reason: expect.stringContaining('not decodable (encoding bogus/thing)') },
      { name: 'frobnicate', reason: expect.stringContaining('unknown signal') },
    ]);
    expect(freeze).toBeNull();
    expect(why).toMatchObject({ reason: 'deploy-failed' });
  }, 60_000);

  it('goes on from the step that failed when a person has mended the cause', async () => {
    expect(await retry()).toMatchObject({ accepted: true });
    await blocked('deploy-failed');
    const tried = (await activitiesOf(place.region)).filter(({ type }) => type === 'deployRelease');
    expect(tried.map(({ completed }) => completed)).toEqual([false, false]);

    removeObstacle();
    expect(await retry()).toMatchObject({ accepted: true });
    // Held here, so that what is done to the host next happens before activation begins.
    await place.region.signal('freeze', { key: 'hands-off', who: 'ada', why: 'to work on the host' });
    const status = await place.until('the stack is up', 120_000, ({ phase }) => phase === 'activating');
    expect(status.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack']);
    expect(status.blocked).toBeNull();
    expect((await searchAttributes())['PsmgBlockedReason']).toBe('none');
    const counts = completions(await activitiesOf(place.region));
    expect(counts).toMatchObject({ forecastRegion: 1, planRegion: 1, deployRelease: 2 });
  }, 200_000);

  it('leaves a target alone that a person holds', async () => {
    const hashBefore = (await target('state'))['hash'];
    expect(await target('hold', '--why', 'replacing a disk', '--who', 'ada')).toMatchObject({ outcome: 'held' });
    const resumed = await place.psmgJson('region', 'resume', place.world.spec.name, '--why', 'done');
    expect(resumed).toMatchObject({ accepted: true });
    const { blocked: why } = await blocked('target-held');
    expect(why).toMatchObject({ step: 'activate' });
    expect(why?.detail).toContain('replacing a disk');
    expect((await searchAttributes())['PsmgBlockedReason']).toBe('target-held');
    expect(await target('state')).toMatchObject({ hash: hashBefore, held: expect.stringContaining('ada') });
  }, 60_000);

  it('leaves what a person wrote by hand, and goes on when it is mended', async () => {
    expect(await target('release-hold')).toMatchObject({ outcome: 'released' });
    const file = path.join(place.host.directory, 'dyn', 'eds-storefront.yaml');
    const ours = readFileSync(file, 'utf8');
    const theirs = `${ours}# checked by ada\n`;
    replaceWhole(file, theirs);
    expect(await retry()).toMatchObject({ accepted: true });
    const { blocked: why } = await blocked('drift');
    expect(why).toMatchObject({ step: 'activate' });
    expect(why?.detail).toContain('dyn/eds-storefront.yaml');
    expect(readFileSync(file, 'utf8')).toBe(theirs);
    expect((await target('state'))['drifted']).toEqual(['dyn/eds-storefront.yaml']);

    replaceWhole(file, ours);
    expect(await retry()).toMatchObject({ accepted: true });
    const status = await place.until('operating', 120_000, ({ phase }) => phase === 'operating');
    expect(status.completed).toEqual(['forecast', 'plan', 'pre-deploy', 'await-stack', 'activate']);
    // Signals that could not be read are still on record, and nothing was done twice on the way here.
    expect(status.refused.total).toBe(2);
    const counts = completions(await activitiesOf(place.region));
    expect(counts).toMatchObject({ forecastRegion: 1, planRegion: 1, deployRelease: 2, awaitStack: 1, moveEntry: 1 });
  }, 200_000);

  /** As an editor does: Envoy watches the folder for files that are moved into it. */
  function replaceWhole(file: string, text: string): void {
    const draft = path.join(place.host.directory, 'tmp', 'draft');
    mkdirSync(path.dirname(draft), { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, file);
  }
});
