import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { betweenMarkers, markdownTable } from '../markdown.js';

const DEADLINE_SECONDS = 5;
/** Of silence: then the input under way hangs. Generous, as the machine may be busy. */
const HANG_MS = 120_000;

/** What is asked of each input: an answer that holds, or a refusal that says why. */
export type Outcome = { kind: 'answered' } | { kind: 'refused' } | { kind: 'failed'; why: string };

export interface CampaignPlan<Entry extends string> {
  /** Of the table in the report. */
  marker: string;
  /** `import.meta.url` of the script, which is run again as the process that the inputs run in. */
  script: string;
  entries: readonly Entry[];
  /** Never throws. */
  runCase(seed: number, index: number): { entry: Entry; outcome: Outcome };
  /** Inputs unless `--count` says otherwise. */
  count: number;
}

interface Told {
  index: number;
  entry?: string;
  kind?: Outcome['kind'];
  why?: string;
  cpuSeconds?: number;
}

interface Campaign {
  count: number;
  seed: number;
  from: number;
}

/**
 * Runs a campaign by the arguments of its script, `[--count N] [--seed 1] [--from 0] [--out docs/campaigns.md]`. Each
 * input must end in an answer that holds or a refusal that says why, within `DEADLINE_SECONDS` of CPU. They run in a
 * process of their own, so that a hang is found and told. Exits 1 when one input failed.
 */
export async function runCampaign<Entry extends string>(plan: CampaignPlan<Entry>): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      count: { type: 'string', default: String(plan.count) },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      out: { type: 'string', default: 'docs/campaigns.md' },
      child: { type: 'boolean', default: false },
    },
  });
  const campaign: Campaign = { count: Number(options.count), seed: Number(options.seed), from: Number(options.from) };
  if (!Object.values(campaign).every(Number.isSafeInteger))
    throw new Error('--count, --seed and --from are whole numbers');
  if (options.child) runAll(plan, campaign);
  else await direct(plan, campaign, options.out);
}

/** Written at once and by hand: what a stream holds back would be lost in a hang. */
function runAll<Entry extends string>({ runCase }: CampaignPlan<Entry>, { count, seed, from }: Campaign): void {
  const tell = (told: Told): void => void writeSync(1, `${JSON.stringify(told)}\n`);
  for (let index = from; index < from + count; index++) {
    tell({ index });
    const before = process.cpuUsage();
    const { entry, outcome } = runCase(seed, index);
    const { user, system } = process.cpuUsage(before);
    tell({ index, entry, ...outcome, cpuSeconds: (user + system) / 1e6 });
  }
}

async function direct<Entry extends string>(plan: CampaignPlan<Entry>, asked: Campaign, out: string): Promise<void> {
  const results = await runInChild(plan.script, asked);
  const failures = results.filter((told) => told.kind === 'failed');
  for (const { index, entry, why } of failures) process.stderr.write(`input ${index}, ${entry ?? '?'}: ${why ?? ''}\n`);
  const body = report(plan.entries, asked, results);
  const before = readFileSync(out, 'utf8');
  writeFileSync(out, betweenMarkers(before, plan.marker, body));
  process.stdout.write(`${body}\n`);
  process.exitCode = failures.length > 0 || results.length < asked.count ? 1 : 0;
}

async function runInChild(script: string, { count, seed, from }: Campaign): Promise<Told[]> {
  const args = ['--import', 'tsx', fileURLToPath(script), '--child'];
  const numbers = Object.entries({ count, seed, from }).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [...args, ...numbers], { stdio: ['ignore', 'pipe', 'inherit'] });
  const results: Told[] = [];
  let last: Told = { index: from };
  const end = (why: string): void => {
    if (last.kind === undefined) results.push({ ...last, kind: 'failed', why });
    child.kill('SIGKILL');
  };
  let watch = setTimeout(end, HANG_MS, 'hangs');
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(watch);
    watch = setTimeout(end, HANG_MS, 'hangs');
    last = JSON.parse(line) as Told;
    if (last.kind === undefined) continue;
    results.push(judged(last));
    if (results.length % 1000 === 0) process.stderr.write(`${results.length} of ${count}\n`);
  }
  clearTimeout(watch);
  const code = await closed;
  if (code !== 0 && last.kind === undefined && results.at(-1)?.index !== last.index)
    results.push({ ...last, kind: 'failed', why: `ended the process with ${code ?? 'a signal'}` });
  return results;
}

function judged(told: Told): Told {
  const cpuSeconds = told.cpuSeconds ?? 0;
  if (told.kind === 'failed' || cpuSeconds <= DEADLINE_SECONDS) return told;
  return { ...told, kind: 'failed', why: `took ${cpuSeconds.toFixed(1)} s of CPU` };
}

function report(entries: readonly string[], { count, seed, from }: Campaign, results: readonly Told[]): string {
  const rows = [...entries, 'all'].map((name) => {
    const own = results.filter(({ entry }) => name === 'all' || entry === name);
    const of = (kind: Told['kind']): string => String(own.filter((told) => told.kind === kind).length);
    const slowest = own.reduce((most, told) => Math.max(most, told.cpuSeconds ?? 0), 0);
    return [name, String(own.length), of('answered'), of('refused'), of('failed'), slowest.toFixed(2)];
  });
  const table = markdownTable([['way in', 'inputs', 'answered', 'refused', 'failed', 'slowest, CPU s'], ...rows]);
  const numbers = from === 0 ? '' : `, from number ${from} on`;
  return `${results.length} of ${count} inputs of seed ${seed}${numbers}; deadline ${DEADLINE_SECONDS} s of CPU each.\n\n${table}`;
}
