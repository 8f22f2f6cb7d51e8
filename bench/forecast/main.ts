import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { QuestionSet, SetName } from './data.js';
import { FULL_SAMPLE, QUICK_SAMPLE, SETS, SET_NAMES } from './data.js';
import { compare, coverageOf } from './compare.js';
import type { MethodResult } from './finishSet.js';
import { finishMethod } from './finishSet.js';
import type { Answer } from './methods.js';
import { ENSEMBLE } from './methods.js';
import { peerAnswer } from './peerDraft.js';
import { peerQuestions } from './peerJobs.js';
import { askPeers } from './peers.js';
import { peersPython } from './peersVenv.js';
import { runPool } from './pool.js';
import { betweenMarkers } from '../markdown.js';
import { comparisonTable, scoreTable, verdictTable } from './table.js';
import type { Verdict } from './verdict.js';
import { verdictsOf } from './verdict.js';

const USAGE = `npm run bench:forecast -- [--set ${SET_NAMES.join('|')}]… [--sample [SET=]N… | --quick] [--only ours|peers]
  [--jobs N] [--seed N] [--data FOLDER] [--out FILE]
A run of whole sets (or of samples named by SET=N) writes its tables to docs/benchmarks.md; a part only where --out says so.
`;

const { values: options } = parseArgs({
  options: {
    set: { type: 'string', multiple: true },
    sample: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: '../shared/data' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(USAGE);
  const unknown = (options.set ?? []).find((name) => !SET_NAMES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--set ${unknown}: it is one of ${SET_NAMES.join(', ')}`);
  if (options.only !== undefined && !['ours', 'peers'].includes(options.only)) {
    throw new Error(`--only ${options.only}: it is ours or peers`);
  }
  const names = SET_NAMES.filter((name) => options.set?.includes(name) ?? true);
  const isNamed = (options.sample ?? []).every((text) => text.includes('='));
  const isWhole = isNamed && !options.quick && options.only === undefined;
  const out = options.out ?? (isWhole ? 'docs/benchmarks.md' : undefined);
  const python = options.only === 'ours' ? undefined : await peersPython();
  const verdicts: Verdict[] = [];
  for (const name of names) {
    const { text, verdicts: own } = await benchSet(name, python);
    process.stdout.write(`${text}\n\n`);
    verdicts.push(...own);
    if (out !== undefined) await write(out, `bench:forecast ${name}`, text);
  }
  if (verdicts.length === 0) return;
  const held = verdicts.filter(({ holds }) => holds).length;
  const text = `### What must be reached\n\n${held} of ${verdicts.length} hold.\n\n${verdictTable(verdicts)}`;
  process.stdout.write(`${text}\n`);
  if (out !== undefined && options.set === undefined) await write(out, 'bench:forecast verdict', text);
}

async function benchSet(name: SetName, python: string | undefined): Promise<{ text: string; verdicts: Verdict[] }> {
  const jobs = Number(options.jobs);
  const seed = Number(options.seed);
  const sample = sampleOf(name);
  const set = await SETS[name]({ folder: options.data, sample, seed });
  const load = os.loadavg()[0] ?? 0;
  const own = options.only === 'peers' ? [] : await askOurs(set, sample, jobs);
  const theirs = python === undefined ? [] : await askTheirs(set, python, jobs);
  const members = own.filter(({ method }) => method !== ENSEMBLE);
  const ensemble = own.find(({ method }) => method === ENSEMBLE);
  const parts = [`### ${set.title}`, `${set.facts} ${machine(load, jobs)}`, scoreTable([...own, ...theirs], ensemble)];
  if (ensemble === undefined) return { text: parts.join('\n\n'), verdicts: [] };
  const coverage = coverageOf(set, ensemble, seed);
  const comparisons = theirs.map((peer) => compare(set, ensemble, peer, seed));
  if (theirs.length > 0) parts.push(comparisonTable(comparisons));
  const evidence = { set: name, ensemble, members, peers: theirs, comparisons, coverage };
  return { text: parts.join('\n\n'), verdicts: theirs.length > 0 ? verdictsOf(evidence) : [] };
}

/** `--sample 12` is for every set, `--sample m4=100` for one. */
function sampleOf(name: SetName): number {
  const given = (options.sample ?? []).map((text) => text.split('='));
  const own = given.find(([set]) => set === name)?.[1] ?? given.find((parts) => parts.length === 1)?.[0];
  const sample = Number(own ?? (options.quick ? QUICK_SAMPLE : FULL_SAMPLE)[name]);
  if (!Number.isInteger(sample) || sample < 1) throw new Error(`--sample ${own ?? ''}: a whole number, or SET=N`);
  return sample;
}

/** Each member alone and the ensemble, questions shared among processes: windows that follow each other share fits. */
async function askOurs(set: QuestionSet, sample: number, jobs: number): Promise<MethodResult[]> {
  const answers: Answer[] = [];
  const count = set.questions.length;
  const script = fileURLToPath(new URL('slice.ts', import.meta.url));
  const given = ['--set', set.name, '--sample', String(sample), '--seed', options.seed, '--data', options.data];
  const tasks = Array.from({ length: Math.min(jobs, count) }, (_, index) => {
    const at = (part: number): string => String(Math.round((count * part) / Math.min(jobs, count)));
    const args = [...process.execArgv, script, ...given, '--from', at(index), '--to', at(index + 1)];
    return { command: process.execPath, args, input: '' };
  });
  const onLine = (line: string): void => void answers.push(...(JSON.parse(line) as Answer[]));
  await runPool(tasks, { title: `${set.title}: members and ensemble`, jobs, lines: count, onLine });
  const methods = [...new Set(answers.map(({ method }) => method))];
  // A member that not every history allows is part of the ensemble, but has no row of its own.
  const all = methods.filter((method) => answers.filter((answer) => answer.method === method).length === count);
  const ordered = [...all.filter((method) => method !== ENSEMBLE), ENSEMBLE];
  return ordered.map((method) => resultOf(set, method, false, answers));
}

async function askTheirs(set: QuestionSet, python: string, jobs: number): Promise<MethodResult[]> {
  const raw = await askPeers(set, { python, jobs, isRetimed: options.only === undefined });
  const questions = peerQuestions(set);
  return [...raw].map(([method, answersTo]) => {
    const answers = questions.map((asked) => peerAnswer(method, asked, answersTo(asked), set.seasons));
    return resultOf(set, method, true, answers);
  });
}

function resultOf(set: QuestionSet, method: string, isPeer: boolean, answers: readonly Answer[]): MethodResult {
  const own = answers.filter((answer) => answer.method === method);
  return finishMethod(set, method, isPeer, own);
}

function machine(load: number, jobs: number): string {
  const model = os.cpus()[0]?.model ?? 'unknown processor';
  const processes = jobs === 1 ? 'one process' : `${jobs} processes`;
  return `${os.availableParallelism()} cores (${model}), ${processes} of one thread each, load before the run ${load.toFixed(1)}.`;
}

async function write(file: string, marker: string, body: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '# Benchmarks\n');
  await writeFile(file, betweenMarkers(before, marker, body));
}

await main();
