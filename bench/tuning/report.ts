import { markdownTable } from '../markdown.js';
import type { MeasureName } from './measures.js';
import { median } from '../statistics.js';
import type { Cell, Compared, Tuned } from './run.js';
import { interval } from './run.js';

interface Column {
  measure: MeasureName;
  title: string;
  digits: number;
  /** What it is multiplied by before it is shown. */
  scale: number;
}

const DAY_COLUMNS: readonly Column[] = [
  { measure: 'violatingPercent', title: 'SLO-violating windows, %', digits: 1, scale: 1 },
  { measure: 'goodputShare', title: 'Goodput over what was offered, %', digits: 2, scale: 100 },
  { measure: 'surgeLostShare', title: 'Lost of what came in the first 60 s of the surge, %', digits: 2, scale: 100 },
  { measure: 'instanceSeconds', title: 'Instance-seconds, own region', digits: 0, scale: 1 },
  { measure: 'reward', title: 'Reward (1: all value at no cost)', digits: 3, scale: 1 },
];

/** Medians over seeds, with the bootstrap's 95 % interval where it is no point. */
function shown(cell: Cell | undefined, { measure, digits, scale }: Column): string {
  if (cell === undefined) return '–';
  const { low, median, high } = interval(cell, measure);
  const [a, b, c] = [low, median, high].map((value) => (scale * value).toFixed(digits));
  return a === c ? `${b}` : `${b} (${a}–${c})`;
}

export function policiesOf(cells: readonly Cell[]): string[] {
  return [...new Set(cells.map(({ policy }) => policy))];
}

/** Cells of each scenario, in the order in which they were run. */
export function byScenario(cells: readonly Cell[]): Cell[][] {
  const grouped = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = `${cell.group} ${cell.scenario} ${cell.surge}`;
    grouped.set(key, [...(grouped.get(key) ?? []), cell]);
  }
  return [...grouped.values()];
}

/** Every cell: a table a measure, a row a scenario, a column a policy. */
export function dayTables({ cells }: Pick<Compared, 'cells'>): string {
  const policies = policiesOf(cells);
  return DAY_COLUMNS.map((column) => {
    const isSurge = column.measure === 'surgeLostShare';
    const rows = byScenario(cells)
      .filter(([first]) => !isSurge || (first?.surge ?? 1) > 1)
      .map((own) => {
        const [first] = own;
        const of = (policy: string): Cell | undefined => own.find((cell) => cell.policy === policy);
        const surge = (first?.surge ?? 1) > 1 ? `${first?.surge ?? 1} ×` : 'none';
        return [first?.group ?? '', first?.scenario ?? '', surge, ...policies.map((name) => shown(of(name), column))];
      });
    if (rows.length === 0) return `${column.title}: no scenario has a surge.`;
    return `**${column.title}**\n\n${markdownTable([['application', 'segment', 'surge', ...policies], ...rows], 3)}`;
  }).join('\n\n');
}

/** `limitRps`: the most that anybody could answer, goodput or value over it is shown. */
export function overloadTable(cells: readonly Cell[], limits: Readonly<Record<string, number>>): string {
  const rows = cells.map((cell) => {
    const limit = limits[cell.group] ?? NaN;
    const share: Column = { measure: 'goodputRps', title: '', digits: 3, scale: 1 / limit };
    const rps: Column = { ...share, digits: 1, scale: 1 };
    return [cell.group, cell.scenario, cell.policy, shown(cell, rps), limit.toFixed(1), shown(cell, share)];
  });
  const header = ['region', 'demand', 'policy', 'goodput, rps', 'most possible, rps', 'goodput ÷ most'];
  return markdownTable([header, ...rows], 3);
}

export function tunedTable(tuned: readonly Tuned[]): string {
  const rows = tuned.map(({ group, policy, params, tried, of, reward }) => [
    group,
    policy,
    Object.entries(params)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ') || '–',
    `${tried} of ${of}`,
    tried === 0 ? '–' : reward.toFixed(3),
  ]);
  return markdownTable([['region', 'policy', 'chosen', 'tried', 'reward in training'], ...rows], 3);
}

export function medianOfCell(cell: Cell, measure: MeasureName): number {
  return median(cell.runs.map((run) => run[measure]));
}
