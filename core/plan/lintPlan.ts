import type { MeshPlan, PlanWindow } from '../spec/plan.js';
import type { Problem } from '../spec/problem.js';
import type { RegionSpec } from '../spec/region.js';
import { socketKey } from '../spec/socket.js';
import type { InboundIndex } from './inbound.js';
import { REFUSED_AT_THE_EDGE } from './shortfall.js';
import { problem } from './lintProblem.js';

/** Fewer rps that are shed are no matter for a warning. */
const LEAST_SHED_RPS = 0.1;

/** MESH021 */
export function lintInbound(region: RegionSpec, inbound: InboundIndex): Problem[] {
  if (region.delivery.hosts.every((host) => host.proxy.inbound === undefined)) return [];
  const endpoints = new Map(region.services.map((one) => [one.name, new Set(one.endpoints.map(socketKey))]));
  const strays = region.delivery.hosts.flatMap(({ name, proxy }) =>
    (proxy.inbound ?? []).flatMap(({ service, socket }): Problem[] => {
      if (endpoints.get(service)?.has(socketKey(socket)) === true) return [];
      const message = `${name} listens on ${socketKey(socket)} for it, which is none of its endpoints: nobody calls there`;
      return [problem('MESH021', { service }, 'inbound', message)];
    }),
  );
  const parts = region.services.flatMap((service): Problem[] => {
    const count = inbound.get(service.name) ?? 0;
    if (count === 0 || count === service.endpoints.length) return [];
    const message = `${count} of ${service.endpoints.length} endpoints have a proxy in front: the others limit nothing`;
    return [problem('MESH021', { service: service.name }, 'inbound', message, 'all endpoints or none')];
  });
  return [...strays, ...parts];
}

/** MESH023 */
export function lintWindows({ windows }: MeshPlan): Problem[] {
  const [first] = windows;
  const known = new Set(first?.services.map((service) => service.service));
  const wrong = (index: number, message: string): Problem => ({ code: 'MESH023', field: `windows[${index}]`, message });
  return windows.flatMap((window: PlanWindow, i): Problem[] => {
    const before = windows[i - 1];
    const problems: Problem[] = [];
    const lengthMs = Date.parse(window.to) - Date.parse(window.from);
    // A forecast of one step is for a moment: nobody says how long a step is.
    if (!(lengthMs > 0) && !(lengthMs === 0 && windows.length === 1)) {
      problems.push(wrong(i, `ends at ${window.to}, not after it begins at ${window.from}`));
    }
    if (before !== undefined && Date.parse(before.to) !== Date.parse(window.from)) {
      problems.push(wrong(i, `begins at ${window.from}, and the one before it ends at ${before.to}`));
    }
    const unknown = window.services.filter((one) => !known.has(one.service)).map((one) => one.service);
    if (unknown.length > 0) problems.push(wrong(i, `changes ${unknown.join(', ')}, which no window has set up before`));
    return problems;
  });
}

/** MESH024: a warning about a service begins with its name; this one says what is refused at the edge. */
export function lintAdmission(plan: MeshPlan, window: PlanWindow): Problem[] {
  const said = plan.warnings.filter((warning) => warning.includes(REFUSED_AT_THE_EDGE));
  const warned = new Set(said.map((warning) => /^[\w.-]+/.exec(warning)?.[0] ?? ''));
  return window.services.flatMap((service): Problem[] => {
    const share = service.admission?.value ?? 1;
    const shedRps = (1 - share) * service.demand.rps;
    if (shedRps < LEAST_SHED_RPS || warned.has(service.service)) return [];
    const message = `${Math.round(share * 100)} % of its requests are let in, and no warning of the plan says so`;
    return [problem('MESH024', service, 'admission', message)];
  });
}
