import os from 'node:os';
import { markdownTable } from '../markdown.js';
import type { CampaignOptions, CampaignResult } from './campaignRun.js';

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** What the issue asks of a run and this run missed; empty when it held all. Times are told and not judged. */
export function failuresOf(
  { load, seconds: ran }: Pick<CampaignOptions, 'load' | 'seconds'>,
  result: CampaignResult,
): string[] {
  const { writer, stored, verdict } = result;
  const written = load.services * load.metrics * ran;
  return [
    ...(writer.refused === 0 ? [] : [`${writer.refused} values were refused: ${writer.firstRefusal ?? ''}`]),
    ...(writer.acknowledged === written ? [] : [`${writer.acknowledged} of ${written} values were acknowledged`]),
    ...(stored === writer.acknowledged ? [] : [`${writer.acknowledged} values acknowledged, ${stored} stored`]),
    ...(writer.queuedPoints === 0 ? [] : [`${writer.queuedPoints} values still wait on disk`]),
    ...verdict.problems,
  ];
}

/** The run as Markdown: what was asked, how it went, on what machine. */
export function reportOf(options: CampaignOptions, result: CampaignResult, loadBefore: number): string {
  const { load } = options;
  const { writer, stored, verdict } = result;
  const failures = failuresOf(options, result);
  const model = os.cpus()[0]?.model ?? 'unknown processor';
  return [
    `${result.version}, Node ${process.versions.node}: ${load.services} services × ${load.metrics} metrics × 1 s for ` +
      `${options.seconds} s, seed ${load.seed}. Machine: ${os.cpus().length} × ${model}; load average ` +
      `${loadBefore.toFixed(1)} before, ${(os.loadavg()[0] ?? 0).toFixed(1)} after.`,
    failures.length === 0 ? 'Nothing was lost.' : `**Failed:** ${failures.join('; ')}.`,
    writingTable(result, stored, verdict.rows),
    ...result.outages.map(
      ({ what, fromSeconds, toSeconds }) =>
        `The server was ${what} at second ${fromSeconds.toFixed(1)} and answered again at ${toSeconds.toFixed(1)}.`,
    ),
    `RSS of the writer by tenths of the run, MiB: ${writer.rssMiB.join(', ')}.`,
    ...(result.queries.length === 0 ? [] : [queryTable(options, result)]),
  ].join('\n\n');
}

function writingTable({ writer, serverMaxRssMiB, verdict }: CampaignResult, stored: number, rows: number): string {
  const states = Object.entries(writer.states).map(([state, ticks]) => `${state} ${ticks} s`);
  return markdownTable(
    [
      ['writing', 'measured'],
      ['values acknowledged', count(writer.acknowledged)],
      ['values refused', count(writer.refused)],
      ['values stored, counted by the store', count(stored)],
      ['rows read back, in order, values equal', verdict.problems.length === 0 ? count(rows) : 'no'],
      ['CPU of the writer, cores', (writer.cpuMs / writer.wallMs).toFixed(3)],
      ['… of which making the rows', (writer.loadCpuMs / writer.wallMs).toFixed(3)],
      ['acknowledged after, p50 / p99 / max ms', Object.values(writer.ackMs).join(' / ')],
      ['until nothing waited, s (CPU s)', `${seconds(writer.drainMs)} (${seconds(writer.drainCpuMs)})`],
      ['most waiting on disk, MiB', (writer.maxQueuedBytes / 1024 / 1024).toFixed(1)],
      ['states of the store', states.join(', ')],
      ['most memory of the writer, MiB', String(writer.maxRssMiB)],
      ...(serverMaxRssMiB === null ? [] : [['most memory of the server, MiB', String(serverMaxRssMiB)]]),
    ],
    1,
  );
}

function queryTable({ repeat }: CampaignOptions, { queries }: CampaignResult): string {
  const lines = queries.map(({ what, wantedMs, rows, values, firstMs, medianMs, maxMs }) => [
    ...[what, count(rows), count(values), wantedMs === null ? '' : `< ${wantedMs}`],
    ...[firstMs, medianMs, maxMs].map((ms) => ms.toFixed(0)),
  ]);
  const header = [`query by the port, ms; median of ${repeat}`, 'rows', 'values', 'wanted', 'first', 'median', 'max'];
  return markdownTable([header, ...lines]);
}
