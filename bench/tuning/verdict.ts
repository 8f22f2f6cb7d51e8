import { markdownTable } from '../markdown.js';
import { byScenario, medianOfCell } from './report.js';
import type { Cell } from './run.js';

/** Whose cell is which. */
export interface Roles {
  ours: string;
  peers: readonly string[];
  /** Of the peers, those that limit each service by itself. */
  perService: readonly string[];
  topfull: string;
}

/** A line of what must be reached, against what was measured. `reached` is `null` where nothing was run that tells. */
export interface VerdictLine {
  line: string;
  measured: string;
  reached: boolean | null;
}

interface Pair {
  own: Cell;
  best: Cell;
}

/** Beside each of our cells the peer's with the fewest violating windows; of equals the one with the least capacity. */
function againstBest(cells: readonly Cell[], { ours, peers }: Roles): Pair[] {
  return byScenario(cells).flatMap((scenario): Pair[] => {
    const own = scenario.find(({ policy }) => policy === ours);
    const [best] = scenario
      .filter(({ policy }) => peers.includes(policy))
      .sort(
        (a, b) =>
          medianOfCell(a, 'violatingPercent') - medianOfCell(b, 'violatingPercent') ||
          medianOfCell(a, 'instanceSeconds') - medianOfCell(b, 'instanceSeconds'),
      );
    return own === undefined || best === undefined ? [] : [{ own, best }];
  });
}

/** What our violating windows may be beside a peer's, in percent. */
export function mostViolating(peerPercent: number): number {
  return peerPercent >= 1 ? peerPercent / 2 : peerPercent + 0.1;
}

export function dayVerdicts(cells: readonly Cell[], roles: Roles): VerdictLine[] {
  const pairs = againstBest(cells, roles);
  const violates = (cell: Cell): number => medianOfCell(cell, 'violatingPercent');
  const hard = pairs.filter(({ best }) => violates(best) >= 1);
  const easy = pairs.filter(({ best }) => violates(best) < 1);
  const holds = ({ own, best }: Pair): boolean => violates(own) <= mostViolating(violates(best)) + 1e-9;
  const isLean = ({ own, best }: Pair): boolean =>
    medianOfCell(own, 'instanceSeconds') <= medianOfCell(best, 'instanceSeconds') + 1e-9;
  return [
    counted('violating windows at most half of the best peer’s, where it violates ≥ 1 %', hard, holds),
    counted('elsewhere no worse than the best peer by 0.1 point', easy, holds),
    counted('capacity no higher than that peer’s', pairs, isLean),
    surgeVerdict(cells, roles),
  ];
}

function counted<T>(line: string, of: readonly T[], holds: (one: T) => boolean): VerdictLine {
  const count = of.filter(holds).length;
  return {
    line,
    measured: `${count} of ${of.length} scenarios`,
    reached: of.length === 0 ? null : count === of.length,
  };
}

function surgeVerdict(cells: readonly Cell[], { ours, topfull }: Roles): VerdictLine {
  const surges = byScenario(cells.filter(({ surge }) => surge > 1)).flatMap((scenario) => {
    const own = scenario.find(({ policy }) => policy === ours);
    const theirs = scenario.find(({ policy }) => policy === topfull);
    return own === undefined || theirs === undefined ? [] : [{ own, best: theirs }];
  });
  const lost = (cell: Cell): number => medianOfCell(cell, 'surgeLostShare');
  const line = 'first 60 s of a surge: goodput lost at most half of TopFull’s';
  return counted(line, surges, ({ own, best }) => lost(own) <= lost(best) / 2 + 1e-12);
}

/** `capacityRps`: of the one bottleneck; `optimumRps`: what a clairvoyant would let in of the deep graph. */
export function overloadVerdicts(
  { single, deep }: { single: readonly Cell[]; deep: readonly Cell[] },
  { capacityRps, optimumRps }: { capacityRps: number; optimumRps: number },
  { ours, peers, perService }: Roles,
): VerdictLine[] {
  const goodput = (cells: readonly Cell[], names: readonly string[]): number =>
    Math.max(...cells.filter(({ policy }) => names.includes(policy)).map((cell) => medianOfCell(cell, 'goodputRps')));
  const [own, best] = [goodput(single, [ours]), goodput(single, peers)];
  const [deepOwn, deepBest, limiter] = [goodput(deep, [ours]), goodput(deep, peers), goodput(deep, perService)];
  const gap = (deepOwn - deepBest) / (optimumRps - deepBest);
  return [
    line('one bottleneck: goodput ≥ 0.97 of capacity', own / capacityRps, (share) => share >= 0.97),
    line('… within 1 % of the best tuned peer (ours ÷ its)', own / best, (ratio) => ratio >= 0.99),
    line('deep bottleneck: ≥ 1.2 × the best per-service limiter (ours ÷ its)', deepOwn / limiter, (r) => r >= 1.2),
    line(
      '… the ratio that a clairvoyant would reach (its ÷ the limiter’s), for comparison',
      optimumRps / limiter,
      () => null,
    ),
    line('… share of the gap from the best peer to the clairvoyant optimum closed, ≥ 0.5', gap, (s) => s >= 0.5),
  ];
}

function line(text: string, value: number, holds: (value: number) => boolean | null): VerdictLine {
  const isKnown = Number.isFinite(value);
  return { line: text, measured: isKnown ? value.toFixed(3) : '–', reached: isKnown ? holds(value) : null };
}

export function verdictTable(lines: readonly VerdictLine[]): string {
  const word = (reached: boolean | null): string => (reached === null ? '–' : reached ? 'yes' : 'no');
  const rows = lines.map(({ line: text, measured, reached }) => [text, measured, word(reached)]);
  return markdownTable([['must reach', 'measured', 'reached'], ...rows], 3);
}
