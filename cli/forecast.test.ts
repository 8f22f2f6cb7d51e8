import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Command } from 'commander';

import { registerForecast } from './forecast.js';
import { validateRegionFile } from './validateRegion.js';
import type { DemandForecast } from '../core/spec/forecast.js';
import type { Problem } from '../core/spec/problem.js';

const HISTORY = 'examples/eu-west/history.csv';
let out = '';
let err = '';

beforeEach(() => {
  out = '';
  err = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

async function psmg(...args: string[]): Promise<number> {
  const program = new Command('psmg').exitOverride();
  registerForecast(program);
  await program.parseAsync(['forecast', ...args], { from: 'user' });
  return Number(process.exitCode);
}

describe('psmg forecast', () => {
  it('prints the documented JSON on stdout, and progress on stderr', async () => {
    expect(
      await psmg('--history', HISTORY, '--horizon', '6', '--format', 'json', '--events', 'examples/eu-west/events.csv'),
    ).toBe(0);
    const forecast = JSON.parse(out) as DemandForecast;
    expect(forecast.series.map((series) => Object.keys(series))).toEqual(
      Array(2).fill(['service', 'step', 'models', 'trust', 'trustReason', 'timestamps', 'quantiles']),
    );
    expect(forecast.series[0]?.timestamps).toHaveLength(6);
    expect(Object.keys(forecast.series[0]?.quantiles ?? {})).toEqual(['p50', 'p80', 'p90', 'p95', 'p99']);
    expect(err).toContain('storefront: prophet, origin 1 of 5');
  });

  it('draws a table for people', async () => {
    expect(await psmg('--history', HISTORY, '--horizon', '24', '--models', 'seasonal-naive')).toBe(0);
    expect(out).toMatch(/storefront: trust high/);
    expect(out).toMatch(/[▁▂▃▄▅▆▇█]{24}/);
  });

  it('tells every wrong option and every bad file at once, and exits 2', async () => {
    const args = ['--history', HISTORY, 'none.csv', '--horizon', '0', '--step', '1y', '--season', 'a', '--at', 'now'];
    expect(
      await psmg(...args, '--models', 'lstm', '--regressors', 'r.csv', '--events', 'e.ics', '--format', 'json'),
    ).toBe(2);
    const { problems } = JSON.parse(out) as { problems: Problem[] };
    expect(problems.map((problem) => problem.field).sort()).toEqual(
      ['(file)', '(file)', '--at', '--horizon', '--models', '--regressors', '--season', '--step'].sort(),
    );
  });

  it('refuses what the data do not allow, and exits 2', async () => {
    expect(await psmg('--history', HISTORY, '--horizon', '6', '--at', '2020-01-01T00:00:00Z')).toBe(2);
    expect(err).toContain('history.storefront: ended at 2012-04-18');
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
