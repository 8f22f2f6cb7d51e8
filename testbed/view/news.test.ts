import { describe, expect, it } from '@jest/globals';
import type { RegionStatus } from '../../workflows/regionLifecycle/status.js';
import { regionNews } from './news.js';
import { serviceTable } from './table.js';

const EMPTY: RegionStatus = {
  region: 'eu-west',
  phase: 'forecasting',
  step: 'forecast',
  completed: [],
  blocked: null,
  autonomy: 'act',
  trust: null,
  epoch: 1,
  planHash: null,
  currentHash: null,
  forecast: null,
  plan: null,
  preDeployment: null,
  stack: null,
  entryMoved: false,
  activation: [],
  deployments: [],
  rolledBackTo: null,
  overrides: [],
  freeze: null,
  tuner: { state: 'not-started', report: null },
  refused: { total: 0, last: [] },
  warnings: [],
};

describe('regionNews', () => {
  it('tells of each window that is put in force, and what comes of planning anew', () => {
    const plan = { services: [], windows: ['w1', 'w2'], warnings: [] };
    const first: RegionStatus = { ...EMPTY, plan, window: 'w1' };
    expect(regionNews(EMPTY, first)).toEqual(['window 1 of 2 of the plan is in force, for demand from w1']);
    expect(regionNews(first, first)).toEqual([]);
    const replan = { state: 'done', at: 't2', by: 'ada', detail: 'plan 1234' } as const;
    expect(regionNews(first, { ...first, window: 'w2', replan })).toEqual([
      'window 2 of 2 of the plan is in force, for demand from w2',
      'planned anew (ada): done, plan 1234',
    ]);
  });

  it('says what changed and nothing twice', () => {
    const blocked: RegionStatus = {
      ...EMPTY,
      phase: 'blocked',
      blocked: { reason: 'deploy-failed', step: 'pre-deploy', detail: 'edge-1: no space left', since: 't1' },
      refused: { total: 1, last: [{ name: 'freez', reason: 'unknown signal', at: 't1' }] },
    };
    expect(regionNews(null, EMPTY)).toEqual(['phase forecasting']);
    expect(regionNews(EMPTY, blocked)).toEqual([
      'phase blocked',
      'BLOCKED deploy-failed at pre-deploy: edge-1: no space left',
      'refused freez: unknown signal',
    ]);
    expect(regionNews(blocked, blocked)).toEqual([]);
  });

  it('shows a move of the users, both ways', () => {
    const moved = { ...EMPTY, entryMoved: true };
    expect(regionNews(EMPTY, moved)).toEqual(['users now enter through eu-west']);
    expect(regionNews(moved, EMPTY)).toEqual(['users enter through the neighbour again']);
  });
});

describe('serviceTable', () => {
  it('aligns its columns and shows what is missing as missing', () => {
    const row = {
      service: 'shop',
      rps: 12.34,
      forecastP50: null,
      forecastP95: 20,
      errorRate: null,
      p99Ms: 99.6,
      rateLimited: 0,
    };
    const lines = serviceTable([row]);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[1]).toMatch(/shop\s+12\.3\s+–\s+20\.0\s+100\s+–\s+0/);
  });
});
