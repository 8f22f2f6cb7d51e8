import { describe, expect, it } from '@jest/globals';
import type { PhaseReport } from './regionPhases.js';
import { regionBody } from './regionReport.js';

const phase = (services: number, fitSeconds: number, chosen: number): PhaseReport => ({
  services,
  costs: [
    { part: 'repair of the history', services, wallSeconds: 1, cpuSeconds: 1 },
    { part: 'fits', services, wallSeconds: fitSeconds / 2, cpuSeconds: fitSeconds },
  ],
  peakMiB: 512.4,
  chosen,
  none: 0,
});

describe('the report of a region', () => {
  const body = regionBody({
    train: phase(1000, 40, 0),
    first: phase(50, 49, 50),
    again: phase(1000, 199, 5),
    threads: 2,
    seed: 1,
  });

  it('says what choosing for all would cost, and what drift adds', () => {
    expect(body).toContain('for all 1000 that would be about 1000 CPU s');
    expect(body).toContain('5 (10 %) had drifted');
    expect(body).toContain('about 93 CPU s more');
  });

  it('sums the parts of each forecast, in a table whose columns line up', () => {
    const lines = body.split('\n').filter((line) => line.startsWith('|'));
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    const sum = lines.find((line) => line.includes('choices kept') && line.includes('| all '));
    expect(sum?.split('|').map((cell) => cell.trim())).toEqual([
      '',
      'a day later, choices kept',
      'all',
      '1000',
      '100.5',
      '200.0',
      '0.200',
      '512',
      '',
    ]);
  });
});
