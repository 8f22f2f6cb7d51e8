/**
 * Planned counts against the smallest count that keeps the SLO in the simulation of each instance's queue.
 *
 * node --import tsx bench/capacity/cases.ts [--cases 200] [--seed 1] [--requests 200000] [--write]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { instancesFor } from '../../core/plan/capacity/instances.js';
import { betweenMarkers, markdownTable } from '../markdown.js';
import { caseSet } from './caseSet.js';
import type { Case } from './caseSet.js';
import { PEERS } from './peerCounts.js';
import { smallestCount, tolerance } from './truth.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '200000' },
    write: { type: 'boolean', default: false },
  },
});
const OURS = 'PSMG';
const DOC = new URL('../../docs/capacity.md', import.meta.url);

interface Judged {
  question: Case;
  needed: number;
  counts: Readonly<Record<string, number>>;
}

const requests = Number(values.requests);
const judged = caseSet(Number(values.cases), Number(values.seed)).map((question): Judged => {
  const answer = instancesFor(question);
  const ours = answer.ok ? answer.value.count : Infinity;
  const most = question.maxInstances;
  const needed = Math.min(most, smallestCount(question, Math.min(ours, most), requests));
  const peers = Object.entries(PEERS).map(([name, count]) => [name, Math.min(most, count(question))] as const);
  const counts = Object.fromEntries([[OURS, ours], ...peers]);
  if (Math.abs(ours - needed) > tolerance(needed)) console.log(described({ question, needed, counts }));
  return { question, needed, counts };
});

const policies = [...new Set(judged.map(({ question }) => question.policy))].sort();
const rows = [OURS, ...Object.keys(PEERS)].map((name) => [
  name,
  ...[undefined, ...policies].map((policy) => coverage(name, policy)),
  share(judged.filter((one) => (one.counts[name] ?? 0) < one.needed - tolerance(one.needed)).length, judged.length),
  ratio(name, 0.5),
  ratio(name, 0.95),
]);
const header = ['within max(1, 5 %)', 'all', ...policies, 'too few', 'count/needed p50', 'p95'];
const large = judged.filter(({ needed }) => needed > 20);
const within = large.filter((one) => hits(one, OURS)).length;
const table = [
  markdownTable([header, ...rows]),
  '',
  `${judged.length} cases, seed ${values.seed}, ${requests} requests a simulation; ${large.length} need more than 20 instances: ${within} of them within.`,
].join('\n');
console.log(`\n${table}`);
if (values.write) writeFileSync(DOC, betweenMarkers(readFileSync(DOC, 'utf8'), 'bench:capacity', table));

function hits({ counts, needed }: Judged, name: string): boolean {
  return Math.abs((counts[name] ?? Infinity) - needed) <= tolerance(needed);
}

function coverage(name: string, policy: string | undefined): string {
  const own = judged.filter(({ question }) => policy === undefined || question.policy === policy);
  return share(own.filter((one) => hits(one, name)).length, own.length);
}

function share(part: number, all: number): string {
  return `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
}

function ratio(name: string, level: number): string {
  const sorted = judged.map(({ counts, needed }) => (counts[name] ?? Infinity) / needed).sort((a, b) => a - b);
  return (sorted[Math.floor(level * sorted.length)] ?? 0).toFixed(2);
}

function described({ question, needed, counts }: Judged): string {
  const { id, policy, concurrency, clientProxies, serviceTimeCv, arrivalCv2, sloP99Ms, serviceTimeMs } = question;
  const busy = (question.demandRps * serviceTimeMs) / (1000 * concurrency * needed);
  return `case ${id} ${policy}: ${counts[OURS]} for ${needed}; c ${concurrency}, P ${clientProxies}, CV ${serviceTimeCv.toFixed(2)}, arrivals ${arrivalCv2.toFixed(1)}, SLO ${(sloP99Ms / serviceTimeMs).toFixed(2)} services, ${busy.toFixed(2)} busy`;
}
