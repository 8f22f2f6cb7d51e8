import { describe, expect, it, jest } from '@jest/globals';
import { validateRegionFile } from '../../cli/validateRegion.js';
import type { DemandForecast } from '../../core/spec/forecast.js';
import type { Problem } from '../../core/spec/problem.js';
import type { PsmgResult } from './psmg.js';
import { psmg } from './psmg.js';

jest.setTimeout(60_000);

const HISTORY = 'examples/eu-west/history.csv';
const forecast = (...args: string[]): Promise<PsmgResult> => psmg('forecast', ...args);

describe('psmg forecast', () => {
  it('prints the documented JSON on stdout, and progress on stderr', async () => {
    const events = ['--events', 'examples/eu-west/events.csv'];
    const result = await forecast('--history', HISTORY, '--horizon', '6', '--format', 'json', ...events);
    expect(result.code).toBe(0);
    const printed = JSON.parse(result.stdout) as DemandForecast;
    expect(printed.series.map((series) => Object.keys(series))).toEqual(
      Array(2).fill([
        'service',
        'step',
        'models',
        'trust',
        'trustScore',
        'trustReason',
        'explanation',
        'timestamps',
        'quantiles',
      ]),
    );
    expect(printed.series[0]?.timestamps).toHaveLength(6);
    expect(Object.keys(printed.series[0]?.quantiles ?? {})).toEqual(['p50', 'p80', 'p90', 'p95', 'p99']);
    expect(result.stderr).toMatch(/0 of 2: storefront: [a-z-]+, origin \d of 5/);
  });

  it('draws a table for people', async () => {
    const { code, stdout } = await forecast('--history', HISTORY, '--horizon', '24', '--models', 'seasonal-naive');
    expect(code).toBe(0);
    expect(stdout).toMatch(/storefront: trust high/);
    expect(stdout).toMatch(/│.*•.*[▓▒░]/);
  });

  it('tells every wrong option and every bad file at once, and exits 2', async () => {
    const args = ['--history', HISTORY, 'none.csv', '--horizon', '0', '--step', '1y', '--season', 'a', '--at', 'now'];
    const more = ['--models', 'oracle', '--regressors', 'r.csv', '--events', 'e.ics', '--format', 'json'];
    const { code, stdout } = await forecast(...args, ...more);
    expect(code).toBe(2);
    const { problems } = JSON.parse(stdout) as { problems: Problem[] };
    expect(problems.map((problem) => problem.field).sort()).toEqual(
      ['(file)', '(file)', '(file)', '--at', '--horizon', '--models', '--season', '--step'].sort(),
    );
  });

  it('refuses what the data do not allow, and exits 2', async () => {
    const { code, stderr } = await forecast('--history', HISTORY, '--horizon', '6', '--at', '2020-01-01T00:00:00Z');
    expect(code).toBe(2);
    expect(stderr).toContain('history.storefront: ended at 2012-04-18');
  });
});

describe('validateRegionFile', () => {
  it('finds nothing in the example, and all five mistakes', async () => {
    expect(await validateRegionFile('examples/eu-west/region.yaml')).toEqual([]);
    expect(await validateRegionFile('test/fixtures/regions/five-mistakes.yaml')).toHaveLength(5);
  });

  it('tells a file that cannot be read, or is not text', async () => {
    expect(await validateRegionFile('none.yaml')).toMatchObject([{ code: 'unreadable' }]);
    expect(await validateRegionFile('node_modules/@bsull/augurs/prophet_bg.wasm')).toMatchObject([
      { code: 'not-text' },
    ]);
  });
});
