import type { MeshPlan, PlanWindow, ServicePlan } from '../spec/plan.js';

/**
 * The window that holds `at` (ISO 8601, demand time) with all its services, put together from the windows before it;
 * the nearest one outside all, the first without `at`.
 */
export function windowAt(plan: MeshPlan, at?: string): PlanWindow {
  const [first] = plan.windows;
  if (first === undefined) throw new RangeError('a plan has at least one window');
  const time = at === undefined ? -Infinity : Date.parse(at);
  const later = plan.windows.slice(1).filter((window) => Date.parse(window.from) <= time);
  const last = later.at(-1);
  if (last === undefined) return first;
  const changed = new Map<string, ServicePlan>();
  for (const window of later) for (const service of window.services) changed.set(service.service, service);
  return { from: last.from, to: last.to, services: first.services.map((one) => changed.get(one.service) ?? one) };
}

/** The window before the one that holds `at`, with all its services; absent before the second. */
export function windowBefore(plan: MeshPlan, at?: string): PlanWindow | undefined {
  if (at === undefined) return undefined;
  const index = plan.windows.findLastIndex((window) => Date.parse(window.from) <= Date.parse(at));
  const before = plan.windows[index - 1];
  return before === undefined ? undefined : windowAt(plan, before.from);
}

/** The window with the most instances in all, the first of equals: what is safe when nobody knows what comes. */
export function busiestWindow(plan: MeshPlan): PlanWindow {
  const all = plan.windows.map((window) => windowAt(plan, window.from));
  const total = ({ services }: PlanWindow): number => services.reduce((sum, one) => sum + one.instances.value, 0);
  return all.reduce((most, window) => (total(window) > total(most) ? window : most), windowAt(plan));
}
