import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { failuresOf, reportOf } from './campaignReport.js';
import { runCampaign } from './campaignRun.js';
import type { CampaignOptions } from './campaignRun.js';

/** A sample of `npm run campaign:metrics`: counts and order hold; times are the campaign's own affair. */

let directory: string;
const load = { services: 40, metrics: 10, seed: 7 };

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-campaign-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const options = (more: Pick<CampaignOptions, 'store' | 'outage'>): CampaignOptions => ({
  load,
  seconds: 10,
  backfill: { oneServiceSeconds: 600, allServicesSeconds: 120 },
  repeat: 1,
  drainWithinMs: 20_000,
  directory,
  say: () => undefined,
  ...more,
});

describe('a sustained load', () => {
  it('is kept whole and in order by the embedded store', async () => {
    const sample = options({ store: 'sqlite' });
    const result = await runCampaign(sample);
    expect(failuresOf(sample, result)).toEqual([]);
    expect([result.stored, result.verdict.values, result.writer.acknowledged]).toEqual([4_000, 4_000, 4_000]);
    expect(result.queries.map(({ values }) => values)).toEqual(expect.arrayContaining([6_000 + 100]));
    expect(reportOf(sample, result, 0)).toContain('Nothing was lost.');
  }, 90_000);

  it('is kept whole and in order by InfluxDB, which is stopped and killed meanwhile', async () => {
    const outage = { stopAtSeconds: 2, stoppedForSeconds: 3, killAtSeconds: 7 };
    const sample = options({ store: 'influxdb', outage });
    const result = await runCampaign(sample);
    expect(failuresOf(sample, result)).toEqual([]);
    expect([result.stored, result.verdict.values, result.writer.acknowledged]).toEqual([4_000, 4_000, 4_000]);
    expect(result.outages.map(({ what }) => what)).toEqual(['stopped', 'killed']);
    // The outage was one: rows waited on disk, and the store said so.
    expect(result.writer.maxQueuedBytes).toBeGreaterThan(0);
    expect(result.writer.states.unreachable).toBeGreaterThan(0);
  }, 120_000);
});
