import os from 'node:os';
import { markdownTable } from '../markdown.js';
import type { Kill, KillResult } from './campaignRun.js';
import { BOUNDARIES } from './passes.js';

export interface ReportContext {
  seed: number;
  loadBefore: number;
}

/** What a campaign found, in Markdown. */
export function reportOf(result: KillResult, { seed, loadBefore }: ReportContext): string {
  const { kills, lives, messages, effects, retries, failures, seconds } = result;
  const workers = kills.filter(({ at }) => at !== 'server');
  const load = `load average ${loadBefore.toFixed(1)} before, ${(os.loadavg()[0] ?? 0).toFixed(1)} after`;
  const machine = `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}`;
  return [
    `Seed ${seed}, Node ${process.versions.node}, ${Math.round(seconds)} s. Machine: ${machine}; ${load}.`,
    `${workers.length} kills of the worker and ${kills.length - workers.length} of the server over ${lives} lives with ` +
      `${messages} messages and ${effects} effects; ${retries} decisions by a person were needed.`,
    failures.length === 0
      ? 'Every life came to the same end by the same effects as an undisturbed one; nothing was done twice, no message lost.'
      : `**${failures.length} problems:**\n\n${failures.map(({ life, problem }) => `- ${life}: ${problem}`).join('\n')}`,
    tableOf(kills),
  ].join('\n\n');
}

function tableOf(kills: readonly Kill[]): string {
  const activities = [...new Set(BOUNDARIES.map((boundary) => boundary.split(':')[0] ?? ''))];
  const rows = activities.map((activity) => {
    const own = kills.filter(({ at }) => at.startsWith(`${activity}:`));
    const counts = ['before', 'beat', 'after'].map((point) => own.filter(({ at }) => at.endsWith(point)).length);
    return [activity, ...counts.map(String), ...timesOf(own)];
  });
  const others = (['random', 'server'] as const).map((at) => {
    const own = kills.filter((kill) => kill.at === at);
    return [`${at === 'random' ? 'any time' : 'server'} (${own.length})`, '', '', '', ...timesOf(own)];
  });
  const header = ['killed at', 'before the effect', 'at a heartbeat', 'after it', 'median s', 'max s'];
  return markdownTable([header, ...rows, ...others]);
}

function timesOf(kills: readonly Kill[]): string[] {
  const times = kills.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
  const [median, max] = [times[Math.floor(times.length / 2)], times.at(-1)];
  return [median, max].map((ms) => (ms === undefined ? '' : (ms / 1000).toFixed(1)));
}
