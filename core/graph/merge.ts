import type { GraphContradiction, ServiceEdge } from '../spec/graph.js';
import { HINT_CONFIDENCE } from './edgeSet.js';
import type { SourcedEdge } from './edgeSet.js';

/** Two sources agree on an edge when their calls per request differ by no more than this, relatively. */
const AGREEMENT = 0.1;
/** Standard errors by which two sources may differ beyond that, before they contradict each other. */
const CHANCE = 2;
/** Beyond it sums in another order differ. */
const DIGITS = 12;

export interface MergedEdge {
  edge: ServiceEdge;
  /** No source measured or stated the edge. */
  hintOnly: boolean;
  contradiction?: GraphContradiction;
}

/**
 * What several statements on one edge say together. Those that agree with the best supported one hold: their mean,
 * weighted by confidence. The support of a statement is the confidence that all which agree with it have together, so
 * that two sources outvote a third that is only a little surer. Contradicted, the confidence is halved; what a source saw
 * too seldom to tell is no contradiction. Hints count only where there is nothing else. The order of the statements
 * changes nothing.
 */
export function mergeStatements(statements: readonly SourcedEdge[]): MergedEdge {
  const all = statements.toSorted(byContent);
  const firm = all.filter((one) => one.basis !== 'hint');
  const hintOnly = firm.length === 0;
  const voting = hintOnly ? all : firm;
  const best = voting.map((one) => ({ one, support: support(voting, one) })).reduce((a, b) => (beats(b, a) ? b : a));
  const agreeing = voting.filter((one) => agrees(one, best.one));
  const contrary = voting.some((one) => !isConsistent(one, best.one));
  const callsPerRequest = weightedMean(agreeing, best.one.callsPerRequest);
  const trust = hintOnly ? Math.min(HINT_CONFIDENCE, best.support) : best.support;
  const { caller, callee } = best.one;
  const edge: ServiceEdge = {
    caller,
    callee,
    callsPerRequest,
    ...details(agreeing, voting, callsPerRequest),
    sources: [...new Set(all.map((one) => one.source))].sort(),
    confidence: contrary ? trust / 2 : trust,
  };
  if (!contrary) return { edge, hintOnly };
  const said = voting.map(({ source, callsPerRequest: rate }) => ({ source, callsPerRequest: rate }));
  return { edge, hintOnly, contradiction: { caller, callee, said, holds: best.one.source } };
}

export function contradictionText({ caller, callee, said, holds }: GraphContradiction): string {
  const each = said.map((one) => `${round(one.callsPerRequest)} by ${one.source}`).join(', ');
  return `${caller} → ${callee}: sources contradict each other (${each}); ${holds} holds`;
}

/** Rates by entry come from what holds, latency and size from the surest that measured them. */
function details(agreeing: readonly SourcedEdge[], all: readonly SourcedEdge[], rate: number): Partial<ServiceEdge> {
  const surest = <K extends 'callsByEntry' | 'callsByRoute' | 'latency' | 'bytesPerCall'>(
    list: readonly SourcedEdge[],
    key: K,
  ): Partial<Pick<SourcedEdge, K>> => {
    const having = list.filter((one) => one[key] !== undefined);
    if (having.length === 0) return {};
    const one = having.reduce((a, b) => (b.confidence > a.confidence ? b : a));
    return { [key]: one[key] } as Partial<Pick<SourcedEdge, K>>;
  };
  const byEntry = rate === 0 ? {} : { ...surest(agreeing, 'callsByEntry'), ...surest(agreeing, 'callsByRoute') };
  return { ...byEntry, ...surest(all, 'latency'), ...surest(all, 'bytesPerCall') };
}

interface Supported {
  one: SourcedEdge;
  support: number;
}

/** A source that says a thing twice is not the surer for it. */
function support(all: readonly SourcedEdge[], one: SourcedEdge): number {
  const bySource = new Map<string, number>();
  for (const other of all) {
    if (agrees(other, one)) bySource.set(other.source, Math.max(bySource.get(other.source) ?? 0, other.confidence));
  }
  return 1 - [...bySource.values()].reduce((doubt, confidence) => doubt * (1 - confidence), 1);
}

function beats(a: Supported, b: Supported): boolean {
  if (Math.abs(a.support - b.support) > 1e-12) return a.support > b.support;
  if (a.one.confidence !== b.one.confidence) return a.one.confidence > b.one.confidence;
  return a.one.callsPerRequest > b.one.callsPerRequest;
}

function agrees(a: SourcedEdge, b: SourcedEdge): boolean {
  const [x, y] = [a.callsPerRequest, b.callsPerRequest];
  return Math.abs(x - y) <= AGREEMENT * Math.max(x, y);
}

/** Within what chance explains, where calls come as independent events do. */
function isConsistent(a: SourcedEdge, b: SourcedEdge): boolean {
  const variance = (one: SourcedEdge): number =>
    one.requests === undefined ? 0 : Math.max(one.callsPerRequest, 1 / one.requests) / one.requests;
  const error = CHANCE * Math.sqrt(variance(a) + variance(b));
  const [x, y] = [a.callsPerRequest, b.callsPerRequest];
  return Math.abs(x - y) <= AGREEMENT * Math.max(x, y) + error;
}

function weightedMean(list: readonly SourcedEdge[], otherwise: number): number {
  const total = list.reduce((sum, one) => sum + one.confidence, 0);
  if (total === 0 || list.every((one) => one.callsPerRequest === otherwise)) return otherwise;
  const mean = list.reduce((sum, one) => sum + one.callsPerRequest * (one.confidence / total), 0);
  return Number(mean.toPrecision(DIGITS));
}

function byContent(a: SourcedEdge, b: SourcedEdge): number {
  return (
    (a.source < b.source ? -1 : a.source > b.source ? 1 : 0) ||
    a.callsPerRequest - b.callsPerRequest ||
    a.confidence - b.confidence ||
    a.basis.localeCompare(b.basis, 'en')
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
