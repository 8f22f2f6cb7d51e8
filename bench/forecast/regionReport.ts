import os from 'node:os';

import { markdownTable } from '../markdown.js';
import type { Cost, PhaseReport } from './regionPhases.js';

export interface RegionReport {
  train: PhaseReport;
  /** Models chosen. */
  first: PhaseReport;
  /** Choices kept. */
  again: PhaseReport;
  threads: number;
  seed: number;
}

/** Both forecasts part by part, with what they rest on. */
export function regionBody(report: RegionReport): string {
  const { train, first, again } = report;
  const lines = [
    ...linesOf('the network', train, false),
    ...linesOf('first forecast, models chosen', first, true),
    ...linesOf('a day later, choices kept', again, true),
  ];
  const header = ['what', 'part', 'services', 'wall s', 'CPU s', 'CPU s a service', 'peak MiB'];
  return [`### A region of ${again.services} services`, facts(report), markdownTable([header, ...lines], 2)].join(
    '\n\n',
  );
}

function linesOf(title: string, report: PhaseReport, withSum: boolean): string[][] {
  const sum = (pick: (cost: Cost) => number): number => report.costs.reduce((total, cost) => total + pick(cost), 0);
  const all = {
    part: 'all',
    services: report.services,
    wallSeconds: sum((cost) => cost.wallSeconds),
    cpuSeconds: sum((cost) => cost.cpuSeconds),
  };
  const costs = withSum ? [...report.costs, all] : report.costs;
  return costs.map(({ part, services, wallSeconds, cpuSeconds }, index) => [
    title,
    part,
    String(services),
    wallSeconds.toFixed(1),
    cpuSeconds.toFixed(1),
    (cpuSeconds / services).toFixed(3),
    index === costs.length - 1 ? report.peakMiB.toFixed(0) : '',
  ]);
}

function facts({ first, again, threads, seed }: RegionReport): string {
  const cpu = (report: PhaseReport): number => report.costs.reduce((total, cost) => total + cost.cpuSeconds, 0);
  const whole = (cpu(first) / first.services) * again.services;
  const share = again.chosen / first.services;
  const drifting = (share * again.services - again.chosen) * fitsOf(first);
  return [
    `Made services (seed ${seed}): 14 days of 5-minute steps, horizon 288, seasons 288 and 2,016, no graph, no events;`,
    `each is two of six measured 5-minute series, mixed, moved, scaled, with noise. ${threads} threads on`,
    `${os.availableParallelism()} cores; "fits" runs in them, the other parts in the calling thread.`,
    `Models were chosen for ${first.services} services: for all ${again.services} that would be about ${whole.toFixed(0)} CPU s.`,
    `Their choices were lent to the others in turn; of the ${first.services} that had a choice of their own,`,
    `${again.chosen} (${(100 * share).toFixed(0)} %) had drifted a day later and were chosen anew within the re-forecast:`,
    `were all as prone to drift, fits would take about ${drifting.toFixed(0)} CPU s more.`,
    `${again.none} services were left without a model. Peak memory is the whole process's, the made rows included.`,
    `The machine's load was ${(os.loadavg()[0] ?? 0).toFixed(1)} at the end; wall seconds tell of it, CPU seconds hardly.`,
  ].join('\n');
}

/** CPU seconds of the fits of one service. */
function fitsOf({ costs }: PhaseReport): number {
  const fits = costs.find(({ part }) => part === 'fits');
  return fits === undefined ? 0 : fits.cpuSeconds / fits.services;
}
