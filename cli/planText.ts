import type { MeshPlan, Reasoned, ServicePlan } from '../core/spec/plan.js';

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
    return [`${window.from} – ${window.to}`, ...columns([head, ...rows])];
  });
  return `${lines.join('\n')}\n`;
}

/** Every value with its reason and the numbers that it came from. */
export function explainPlan(plan: MeshPlan): string {
  const lines = plan.windows.flatMap((window) => [
    `${window.from} – ${window.to}`,
    ...window.services.flatMap((service) => [
      '',
      `${service.service}: ${service.demand.rps.toFixed(1)} rps at ${service.demand.quantile}, trust ${service.demand.trust}`,
      ...explained('instances', service.instances),
      ...Object.entries(service.weights).flatMap(([region, weight]) => explained(`weight.${region}`, weight)),
      ...Object.entries(service.settings).flatMap(([field, setting]) => explained(field, setting)),
      ...Object.entries(service.bounds).map(([field, { min, max }]) => `  ${field} may be moved from ${min} to ${max}`),
    ]),
  ]);
  return `${lines.join('\n')}\n`;
}

function explained(name: string, { value, reason, inputs }: Reasoned<number | string>): string[] {
  const numbers = Object.entries(inputs ?? {}).map(([key, input]) => `${key} ${input}`);
  return [`  ${name} = ${value}: ${reason}`, ...(numbers.length > 0 ? [`    from ${numbers.join(', ')}`] : [])];
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
