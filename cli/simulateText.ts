import type { ComparedFigure, ComparedRow, Difference, Figures, SloVerdict } from '../core/simulate/compare.js';
import { shareLine } from './simulateChart.js';
import { brokenSlos } from './simulateReport.js';
import type { PlanReport, SimulationReport } from './simulateReport.js';

const HEAD = ['', 'plan', 'offered', 'good', 'p50', 'p99', 'refused', 'failed', 'late', 'busy', 'inst-h', 'egress'];
/** The figures of the columns after the plan's, with what they look like. */
const COLUMNS: readonly (readonly [ComparedFigure, (value: number) => string])[] = [
  ['offered', whole],
  ['goodShare', percent],
  ['p50Ms', ms],
  ['p99Ms', ms],
  ['refusedInAll', whole],
  ['failed', whole],
  ['timedOut', whole],
  ['utilisation', percent],
  ['instanceHours', (value) => value.toFixed(3)],
  ['egress', whole],
];
const BY: Readonly<Record<keyof Figures['refused'], string>> = {
  rateLimit: 'rate limit',
  breaker: 'breaker',
  inbound: 'inbound limit',
  inboundRetry: 'inbound repeats',
  queueFull: 'full queue',
  noHealthyHost: 'no healthy host',
  controller: 'controller',
};

/** The run in words, the table (a row a plan and a difference to the first), goodput over time, SLOs, what is not known. */
export function simulationText(report: SimulationReport): string {
  const { plans, demand, seed, seconds, windowSeconds, faults, holdsWorker } = report;
  const left = demand.seconds === null || demand.seconds <= seconds ? '' : ` of ${Math.round(demand.seconds)}`;
  const ended = demand.seconds !== null && demand.seconds < seconds;
  const after = ended ? `; from second ${Math.round(demand.seconds ?? 0)} on its last rates hold` : '';
  const rates = demand.entries.map(({ entry, meanRps }) => `${entry} ${meanRps.toFixed(1)}`).join(', ');
  const lines = [
    `${report.region}: ${seconds}${left} s simulated, seed ${seed}, ${faults.length} faults`,
    `demand: ${demand.source}${after} (rps that came: ${rates})`,
    ...plans.map(
      ({ plan, planHash, window, policy }, i) =>
        `${label(i)}: ${plan}, ${planHash.slice(0, 12)}, ${window.from}${policy === undefined ? '' : `, under ${policy.name}`}`,
    ),
    ...plans.flatMap(({ faultsLeftOut }, i) =>
      faultsLeftOut === 0 ? [] : [`${label(i)} does not run what ${faultsLeftOut} of the faults are about`],
    ),
    '',
    ...table(plans),
    ...refusalLines(plans),
    '',
    `good answers over time, ${windowSeconds} s a mark (█ all)`,
    ...chart(plans),
    '',
    ...plans.flatMap(({ slo }, i) => slo.map((one) => sloLine(label(i), one))),
    '',
    holdsWorker
      ? 'A worker waits for the services that its request calls (--holds-worker).'
      : 'A worker takes the next request while the services that it called answer, as plans reckon; --holds-worker: it waits.',
    ...report.notKnown,
  ];
  return `${lines.join('\n')}\n`;
}

/** A line for stderr by plan and service. */
export function brokenText(report: SimulationReport): string[] {
  return brokenSlos(report).map(
    ({ plan, policy, broken }) =>
      `${plan}${policy === undefined ? '' : ` under ${policy}`}: ${broken.service} breaks its SLO: ${against(broken)}`,
  );
}

/** Plans are told apart by letters; their paths are long. */
function label(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : `#${index + 1}`;
}

function table(plans: readonly PlanReport[]): string[] {
  const rows = (plans[0]?.rows ?? []).flatMap(({ of, name }) =>
    plans.flatMap((plan, i) => planRows(of === 'entry' ? `users → ${name}` : name, of, name, plan, i)),
  );
  return columns([HEAD, ...rows]);
}

function planRows(shown: string, of: ComparedRow['of'], name: string, plan: PlanReport, index: number): string[][] {
  const figures = plan.rows.find((row) => row.of === of && row.name === name)?.figures;
  const title = index === 0 ? shown : '';
  if (figures === undefined) return [[title, label(index), 'not there']];
  const cells = COLUMNS.map(([key, text]) => cell(figures[key], text));
  const difference = plan.differences.find((row) => row.of === of && row.name === name);
  const own = [title, label(index), ...cells];
  return difference === undefined ? [own] : [own, ['', `${label(index)}−A`, ...differenceCells(difference)]];
}

function differenceCells({ figures }: Difference): string[] {
  return COLUMNS.map(([key, text]) => {
    const value = figures[key];
    if (value === null) return '–';
    const shown = text(Math.abs(value));
    if (Number.parseFloat(shown) === 0) return '0';
    return `${value > 0 ? '+' : '−'}${shown}`;
  });
}

function refusalLines(plans: readonly PlanReport[]): string[] {
  return plans.flatMap(({ rows }, i) =>
    rows.flatMap(({ of, name, figures }) => {
      const by = (Object.entries(figures.refused) as [keyof Figures['refused'], number][]).filter(([, n]) => n > 0);
      if (of === 'entry' || by.length === 0) return [];
      return [`${label(i)} ${name} refused: ${by.map(([who, n]) => `${BY[who]} ${n}`).join(', ')}`];
    }),
  );
}

function chart(plans: readonly PlanReport[]): string[] {
  const entries = plans[0]?.goodput.map(({ entry }) => entry) ?? [];
  const rows = entries.flatMap((entry) =>
    plans.map(({ goodput }, i) => {
      const shares = goodput.find((one) => one.entry === entry)?.shares ?? [];
      const least = shares.reduce<number>((most, share) => Math.min(most, share ?? 1), 1);
      return [i === 0 ? entry : '', label(i), `${shareLine(shares)}│ least ${percent(least)}`];
    }),
  );
  const widths = [0, 1].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => row.map((one, at) => (at < 2 ? one.padEnd(widths[at] ?? 0) : one)).join('  '));
}

function sloLine(plan: string, one: SloVerdict): string {
  if (one.verdict === 'unseen') return `SLO ${plan} ${one.service}: no request of it ended`;
  const windows = `${one.windowsBroken} of ${one.windowsSeen} windows over it`;
  return `SLO ${plan} ${one.service}: ${one.verdict}, ${against(one)}; ${windows}`;
}

function against({ p99Ms, p99LimitMs, errorShare, errorLimit }: SloVerdict): string {
  const late = p99Ms === null ? 'nothing succeeded' : `p99 ${ms(p99Ms)} of ${p99LimitMs} ms`;
  return `${late}, errors ${percent(errorShare ?? 0)} of ${percent(errorLimit)}`;
}

function cell(value: number | null, text: (value: number) => string): string {
  return value === null ? '–' : text(value);
}

function whole(value: number): string {
  return String(Math.round(value));
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** The first two to the left, numbers to the right. */
function columns(rows: readonly string[][]): string[] {
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((one, at) => (at < 2 ? one.padEnd(widths[at] ?? 0) : one.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
