/**
 * Our routing beside all-local, locality failover and waterfall on generated problems, and beside HiGHS on a part of
 * them: `node --import tsx bench/routing/compare.ts --cases 200 --highs 40 --seed 1 [--write docs/routing.md]`.
 * Exits 1 where a peer is cheaper, or faster at its own egress, or HiGHS better by more than 1 %.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { solveWithEgressCap } from '../../core/plan/routing/egressCap.js';
import { integerWeights } from '../../core/plan/routing/integerWeights.js';
import { compileNetwork } from '../../core/plan/routing/network.js';
import type { Network } from '../../core/plan/routing/network.js';
import type { RoutedFlow } from '../../core/plan/routing/problem.js';
import { evaluateRouting, solveNetwork } from '../../core/plan/routing/solve.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { checkByHighs } from './checker.js';
import { chance, generateProblem } from './generate.js';
import type { GenerateInput } from './generate.js';
import { peerFlows } from './peers.js';
import type { PeerName } from './peers.js';

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '200' },
    highs: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    write: { type: 'string' },
  },
});

interface PeerResult {
  /** The peer's cost over ours, of the shares as solved and of whole percents. */
  ratio: number;
  wholeRatio: number;
  /** The peer's mean latency over ours, ours with no more egress than the peer's. */
  cappedLatency: number;
}

interface CaseResult {
  seed: number;
  size: string;
  gap: number;
  loss: number;
  refuses: boolean;
  peers: Record<PeerName, PeerResult>;
  highs?: { above: number; ours: number; theirs: number; ms: number };
}

const NAMES: readonly PeerName[] = ['all-local', 'locality failover', 'waterfall'];

function drawCase(seed: number): GenerateInput {
  const random = chance(seed);
  return {
    seed,
    services: Math.round(5 * 12 ** random()),
    regions: 3 + Math.floor(random() * 6),
    cycles: random() < 0.15,
    ...(random() < 0.12 && { headroom: 0.7 + 0.3 * random() }),
  };
}

async function runCase(seed: number, withHighs: boolean): Promise<CaseResult> {
  const input = drawCase(seed);
  const problem = generateProblem(input);
  const network = compileNetwork(problem);
  const ours = solveNetwork(network);
  const whole = integerWeights(problem, ours);
  const peers = peerFlows(network);
  const result: CaseResult = {
    seed,
    size: `${input.services} × ${input.regions}`,
    gap: ours.gap,
    loss: whole.loss,
    refuses: ours.components.shed > 1e-6 * ours.objective,
    peers: Object.fromEntries(
      NAMES.map((name) => [name, besidePeer(network, peers[name], ours, whole)]),
    ) as CaseResult['peers'],
  };
  if (!withHighs) return result;
  const checked = await checkByHighs(network, 1e4 / ours.objective);
  if (checked === undefined) return result;
  const best = Math.min(checked.cost, ours.objective);
  return {
    ...result,
    highs: {
      above: ours.objective / checked.bound - 1,
      ours: ours.objective / best - 1,
      theirs: checked.cost / best - 1,
      ms: checked.ms,
    },
  };
}

function besidePeer(network: Network, peer: RoutedFlow, ours: RoutedFlow, whole: RoutedFlow): PeerResult {
  return {
    ratio: peer.objective / ours.objective,
    wholeRatio: peer.objective / whole.objective,
    cappedLatency: cappedLatency(network, peer),
  };
}

/** Both with the requests that the peer lets in; what we then refuse counts as time by its value. */
function cappedLatency({ problem }: Network, peer: RoutedFlow): number {
  const R = problem.regions.length;
  const entries = problem.entries.map((entry, e) => ({
    ...entry,
    rps: entry.rps.map((rps, i) => rps * (peer.admitted[e * R + i] ?? 1)),
  }));
  const start = evaluateRouting({ ...problem, entries }, peer.weights);
  const capped = solveWithEgressCap({ ...problem, entries }, start.components.egress, {
    start,
    maxIterations: 100,
    gapTarget: 0.003,
  });
  if (capped === undefined || capped.components.egress > start.components.egress * (1 + 2e-9)) return 0;
  return timeOf(start) / timeOf(capped);
}

function timeOf({ components: { latency, network, shed } }: RoutedFlow): number {
  return latency + network + shed;
}

function report(results: readonly CaseResult[]): string {
  const lines = [
    [
      'peer',
      'its cost ÷ ours: median',
      'p10',
      'lowest',
      'whole %: lowest',
      'its latency ÷ ours at its egress: median',
      'lowest',
    ],
  ];
  for (const name of NAMES) {
    const of = (pick: (peer: PeerResult) => number): number[] => results.map(({ peers }) => pick(peers[name]));
    const cost = of(({ ratio }) => ratio);
    const capped = of(({ cappedLatency }) => cappedLatency);
    lines.push([
      name,
      factor(quantile(cost, 0.5)),
      factor(quantile(cost, 0.1)),
      factor(Math.min(...cost)),
      factor(Math.min(...of(({ wholeRatio }) => wholeRatio))),
      factor(quantile(capped, 0.5)),
      factor(Math.min(...capped)),
    ]);
  }
  const feasible = results.filter(({ refuses }) => !refuses);
  const checked = results.flatMap(({ highs }) => highs ?? []);
  const facts = [
    ['measure', 'median', 'p90', 'largest'],
    ['proven gap, all served', ...spread(feasible.map(({ gap }) => gap))],
    ['proven gap, some refused', ...spread(results.filter((r) => r.refuses).map(({ gap }) => gap))],
    ['cost of whole percents', ...spread(results.map(({ loss }) => loss))],
    [`above HiGHS's bound (${checked.length} cases)`, ...spread(checked.map(({ above }) => above))],
    ['above the better of ours and HiGHS', ...spread(checked.map(({ ours }) => ours))],
    ["HiGHS's own flow above the better", ...spread(checked.map(({ theirs }) => theirs))],
  ];
  return [
    `${results.length} problems (seeds ${results[0]?.seed} to ${results.at(-1)?.seed}), 5–60 services × 3–8 regions; ` +
      `${results.length - feasible.length} of them cannot serve all.`,
    markdownTable(lines),
    markdownTable(facts),
  ].join('\n\n');
}

function spread(values: readonly number[]): string[] {
  const percent = (value: number): string => (Number.isFinite(value) ? `${(100 * value).toFixed(3)} %` : '–');
  return [quantile(values, 0.5), quantile(values, 0.9), Math.max(...values)].map(percent);
}

function factor(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(4);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

function failures(results: readonly CaseResult[]): string[] {
  return results.flatMap(({ seed, size, peers, highs }) => [
    ...NAMES.filter((name) => peers[name].ratio < 1 - 1e-9).map((name) => `seed ${seed} (${size}): ${name} is cheaper`),
    ...NAMES.filter((name) => peers[name].cappedLatency < 1 - 1e-6).map(
      (name) => `seed ${seed} (${size}): ${name} is faster by ${1 / peers[name].cappedLatency} at its egress`,
    ),
    ...(highs !== undefined && highs.ours > 0.01 ? [`seed ${seed} (${size}): ${highs.ours} above HiGHS`] : []),
  ]);
}

const [cases, highsCases, first] = [Number(options.cases), Number(options.highs), Number(options.seed)];
const results: CaseResult[] = [];
for (let k = 0; k < cases; k++) {
  const withHighs = Math.floor((k * highsCases) / cases) !== Math.floor(((k + 1) * highsCases) / cases);
  results.push(await runCase(first + k, withHighs));
  if ((k + 1) % 20 === 0) process.stderr.write(`${k + 1} of ${cases}\n`);
}
const text = report(results);
process.stdout.write(`${text}\n`);
const failed = failures(results);
for (const line of failed) process.stderr.write(`${line}\n`);
if (options.write !== undefined) {
  writeFileSync(options.write, betweenMarkers(readFileSync(options.write, 'utf8'), 'routing-compare', text));
}
process.exitCode = failed.length > 0 ? 1 : 0;
