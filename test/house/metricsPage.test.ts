import { describe, expect, it } from '@jest/globals';
import { metricRows } from '../../activities/metricRows.js';
import { rollupBucketOf, taskNameOf } from '../../adapters/metrics/influx/setup.js';
import { RAW_KEEP_DAYS, ROLLUP_KEEP_DAYS } from '../../adapters/metrics/keep.js';
import type { MetricRow } from '../../adapters/metrics/port.js';
import { networkRows } from '../../adapters/probes/networkProbe.js';
import { hostRows } from '../../adapters/signals/nodeExporter.js';
import { STORE_STATES } from '../../adapters/telemetry/states.js';
import { hostUsage } from '../../core/tuning/hostUsage.js';
import type { HostReading } from '../../core/tuning/hostUsage.js';
import { observation, seen } from '../../core/tuning/fixtures.js';
import { networkLatency } from '../../core/tuning/networkLatency.js';
import { pageText } from '../readme/readme.js';

const page = pageText('docs/metrics.md');

/** Cells of the tables below a line, up to the next line that is no table. */
function tableAfter(line: string): readonly (readonly string[])[] {
  const [, below = ''] = page.split(`\n${line}\n`);
  const table = /^\s*((?:\|.*\n)+)/.exec(below)?.[1] ?? '';
  const [, , ...rows] = table.trimEnd().split('\n');
  return rows.map((row) => row.split('|').map((cell) => cell.trim()));
}

const words = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

const documentedFields = (measurement: string): readonly string[] =>
  tableAfter(`Of \`${measurement}\`:\n`)
    .flatMap(([, fields]) => words(fields))
    .sort();

const documentedTags = (measurement: string): readonly string[] =>
  tableAfter('## Schema\n')
    .filter(([, name]) => words(name).includes(measurement))
    .flatMap(([, , tags]) => words(tags));

/** A window in which everything is known. */
function observedRows(): readonly MetricRow[] {
  const forecast = { p50Rps: 40, p95Rps: 60, relativeError: 0.25, aboveP95: false };
  const all = { saturation: { busy: 0.1, cpu: 0.2 }, cpuCores: 1, memoryMiB: 100, forecast };
  return metricRows(observation([seen('shop', all)]));
}

function hostRowsOfTwoReadings(): readonly MetricRow[] {
  const reading = (at: number): HostReading => ({
    ...{ host: 'edge-1', at, cpus: 2, busySeconds: at / 1000, idleSeconds: at / 1000 },
    ...{ iowaitSeconds: at / 1000, stealSeconds: at / 1000 },
    ...{ memoryTotalBytes: 2e9, memoryAvailableBytes: 1e9, load1: 0.5 },
  });
  const [before, after] = [[reading(1000)], [reading(11_000)]];
  return hostRows('here', after, hostUsage(['edge-1'], before, after, 11_000));
}

function networkRowsOfOneRound(): readonly MetricRow[] {
  const tries = Array.from({ length: 20 }, (_, i) => ({
    ...{ host: 'edge-1', connectMs: 10 + i, answerMs: 12 + i, status: 200, retransmitted: false },
  }));
  return networkRows('here', [networkLatency('there', tries, 1000)]);
}

describe('docs/metrics.md', () => {
  const rows = [...observedRows(), ...hostRowsOfTwoReadings(), ...networkRowsOfOneRound()];

  it.each(['service', 'region', 'host', 'network'])('names the tags and all the fields of %s', (measurement) => {
    const [row] = rows.filter((one) => one.measurement === measurement);
    expect(documentedFields(measurement)).toEqual(Object.keys(row?.fields ?? {}).sort());
    expect(documentedTags(measurement)).toEqual(Object.keys(row?.tags ?? {}));
  });

  it('knows of no measurement besides', () => {
    const described = [...page.matchAll(/^Of `(\w+)`:$/gm)].map(([, name]) => name);
    expect(described.sort()).toEqual([...new Set(rows.map(({ measurement }) => measurement))].sort());
  });

  it('says what each state of a store means, in the order of the port', () => {
    expect(tableAfter('## States\n').flatMap(([, state]) => words(state))).toEqual(STORE_STATES);
  });

  it('says what is kept, and by which task', () => {
    const kept = tableAfter('In InfluxDB:\n').map(([, bucket, keeps]) => [words(bucket)[0], keeps]);
    expect(kept).toEqual([
      ['BUCKET', `${RAW_KEEP_DAYS} days`],
      [rollupBucketOf('BUCKET'), `${ROLLUP_KEEP_DAYS} days`],
    ]);
    expect(page).toContain(`\`${taskNameOf('BUCKET')}\``);
  });
});
