import type { PlanDifference } from '../core/plan/explain/diffPlans.js';
import type { Explanation } from '../core/plan/explain/explainPlan.js';
import { differenceInWords } from '../core/plan/explain/words.js';
import type { MeshPlan, ServicePlan } from '../core/spec/plan.js';

/** One line a service: what it is expected to get and what it gets for it. */
export function planTable(plan: MeshPlan): string {
  const head = ['service', 'rps', 'instances', 'weights', 'limit/proxy', 'in flight/proxy', 'timeout'];
  const lines = plan.windows.flatMap((window) => {
    const rows = window.services.map((service) => [
      service.service,
      `${service.demand.quantile} ${service.demand.rps.toFixed(1)}`,
      String(service.instances.value),
      weightsText(service),
      `${service.settings['rateLimit.rps'].value} rps`,
      String(service.settings['breaker.maxRequests'].value),
      `${service.settings['timeout.requestMs'].value} ms`,
    ]);
    const of = window === plan.windows[0] ? '' : ', what changes';
    return rows.length === 0 ? [] : [`${window.from} – ${window.to}${of}`, ...columns([head, ...rows])];
  });
  return `${lines.join('\n')}\n`;
}

/** Every value with its reason and the numbers that it came from. */
export function explanationText(explanations: readonly Explanation[]): string {
  const lines: string[] = [];
  let place = '';
  for (const { window, service, address, value, unit, reason, inputs, bounds } of explanations) {
    const here = `${window} ${service}`;
    if (here !== place) lines.push(...(place === '' ? [] : ['']), `${service}, from ${window}`);
    place = here;
    lines.push(`  ${address} = ${value}${unit === '' || unit === 'name' ? '' : ` ${unit}`}: ${reason}`);
    const numbers = Object.entries(inputs).map(([key, input]) => `${key} ${input}`);
    if (numbers.length > 0) lines.push(`    from ${numbers.join(', ')}`);
    if (bounds !== undefined) lines.push(`    may be moved from ${bounds.min} to ${bounds.max}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What becomes different, a line each, the most urgent first. */
export function differencesText(differences: readonly PlanDifference[]): string {
  return differences.length === 0 ? 'nothing changes\n' : `${differences.map(differenceInWords).join('\n')}\n`;
}

function weightsText(service: ServicePlan): string {
  return Object.entries(service.weights)
    .filter(([, weight]) => weight.value > 0)
    .map(([region, weight]) => `${region} ${weight.value}`)
    .join(' ');
}

function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
