import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { HostSpec, SocketSpec } from '../../core/spec/region.js';
import type { SettingField } from '../../core/spec/settings.js';
import type { Mismatch } from '../renderer.js';
import type { Value } from '../sameValue.js';
import { sameValue } from '../sameValue.js';
import { canStartSlowly } from './clusters.js';
import { inboundName } from './names.js';
import { readRunning } from './running.js';
import type { Running } from './running.js';

type Check = (field: string, expected: Value, actual: Value) => void;

/** Field by field, where what runs differs from what should. Services that run but should not are named too. */
export function compareReadBack(live: LiveMesh, host: HostSpec, dump: string): readonly Mismatch[] {
  const running = readRunning(dump);
  const wanted = new Set(live.services.map((service) => service.service));
  const extra = Object.keys(running.services).filter((name) => !wanted.has(name));
  return [
    ...live.services.flatMap((service) => compareService(service, live.region, host, running)),
    ...extra.map((service) => ({ host: host.name, service, field: 'service', expected: undefined, actual: service })),
  ];
}

function compareService(live: LiveService, own: string, host: HostSpec, running: Running): Mismatch[] {
  const { service } = live;
  const mismatches = new Map<string, Mismatch>();
  const check: Check = (field, expected, actual) => {
    if (sameValue(expected, actual) || mismatches.has(field)) return;
    mismatches.set(field, { host: host.name, service, field, expected, actual });
  };
  const found = running.services[service];
  if (found === undefined)
    return [{ host: host.name, service, field: 'service', expected: service, actual: undefined }];
  const routed = live.protocol !== 'tcp';
  check('entry', routed && live.entryPathPrefix !== undefined ? 'yes' : 'no', found.mesh.entry ? 'yes' : 'no');
  const fields = (Object.keys(live.settings) as SettingField[]).filter((field) => isCarriedByCallers(live, field));
  for (const terms of [found.mesh, found.ingress]) {
    if (terms === undefined) continue;
    for (const field of fields) check(field, live.settings[field], terms.settings[field]);
    for (const region of new Set([...Object.keys(live.weights), ...Object.keys(terms.weights)])) {
      check(`weight.${region}`, live.weights[region] ?? 0, terms.weights[region] ?? 0);
    }
    check('endpoints', sockets(live.endpoints), (terms.endpoints[own] ?? []).join(' '));
  }
  check('unplanned', sockets(live.unplanned ?? []), (running.unplanned[service] ?? []).join(' '));
  compareInbound(live, host, running, check);
  return [...mismatches.values()];
}

/** Whether a field of a service is in what its callers' proxies run. */
function isCarriedByCallers({ protocol, settings }: LiveService, field: SettingField): boolean {
  if (field.startsWith('inbound.')) return false;
  if (field === 'lb.slowStartMs') return canStartSlowly(settings['lb.policy']);
  if (protocol === 'websocket') return field !== 'timeout.requestMs';
  const ofRoutes = field.startsWith('rateLimit.') || field === 'timeout.requestMs' || field === 'retry.maxPerRequest';
  return protocol !== 'tcp' || !ofRoutes;
}

function compareInbound(live: LiveService, host: HostSpec, running: Running, check: Check): void {
  for (const entry of host.proxy.inbound ?? []) {
    if (entry.service !== live.service) continue;
    const name = inboundName(entry);
    const found = running.inbound[name];
    check(name, sockets([entry.app]), found?.app);
    check('inbound.maxRequests', live.settings['inbound.maxRequests'], found?.settings['inbound.maxRequests']);
    if (live.protocol === 'tcp') continue;
    check('inbound.retryRps', live.settings['inbound.retryRps'], found?.settings['inbound.retryRps']);
  }
}

function sockets(list: readonly SocketSpec[]): string {
  const texts = list.map((socket) => `${socket.address}:${socket.port}`);
  return texts.sort().join(' ');
}
