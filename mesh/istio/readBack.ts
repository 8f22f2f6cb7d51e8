import type { LiveMesh, LiveService } from '../../core/spec/live.js';
import type { RegionSpec } from '../../core/spec/region.js';
import type { SettingField } from '../../core/spec/settings.js';
import type { Mismatch } from '../renderer.js';
import type { RunningTerms } from '../envoy/running.js';
import type { Value } from '../sameValue.js';
import { sameValue } from '../sameValue.js';
import { bucketOf } from '../envoy/buckets.js';
import { inboundBucket } from './envoyFilter.js';
import type { IstioOptions } from './names.js';
import { isTcp, placeOf } from './names.js';
import type { Place } from './places.js';
import { placesOf, sharesRequests } from './places.js';
import { ISTIO_PROJECTION, projected } from './projection.js';
import type { IstioSeat } from './projection.js';
import { readIstioDump } from './dump.js';
import type { IstioRunning } from './dump.js';

type Check = (field: string, expected: Value, actual: Value) => void;

/** What one proxy under Istio runs, by service of the region, in the plan's own terms. */
export function readBackIstio(
  dump: string,
  region: RegionSpec,
  options: IstioOptions = {},
): Readonly<Record<string, RunningTerms>> {
  return readIstioDump(dump, region, placeOf(options)).services;
}

/**
 * Field by field of ISTIO_PROJECTION, where one proxy's `/config_dump?include_eds` differs from what should run: at
 * the edge every service and the routes of entries, beside an instance its callees and what it holds itself. What is
 * there of other people's is not looked at. Throws a SyntaxError or TypeError for what is no such dump.
 */
export function compareIstioReadBack(
  live: LiveMesh,
  region: RegionSpec,
  dump: string,
  options: IstioOptions = {},
): readonly Mismatch[] {
  const running = readIstioDump(dump, region, placeOf(options));
  return live.services.flatMap((service): Mismatch[] => {
    const mismatches = new Map<string, Mismatch>();
    const check: Check = (field, expected, actual) => {
      if (sameValue(expected, actual) || mismatches.has(field)) return;
      mismatches.set(field, { host: running.proxy, service: service.service, field, expected, actual });
    };
    compareCaller(service, region, running, options, check);
    if (running.inbound?.service === service.service) compareCallee(service, region, running, check);
    return [...mismatches.values()];
  });
}

function compareCaller(
  service: LiveService,
  region: RegionSpec,
  running: IstioRunning,
  options: IstioOptions,
  check: Check,
): void {
  const found = running.services[service.service];
  const wanted = isToldOf(service.service, running, options);
  if (found === undefined || !wanted) {
    check('service', wanted ? service.service : undefined, found === undefined ? undefined : service.service);
    return;
  }
  for (const field of fieldsOf('caller')) check(field, projected(service, field), found.settings[field]);
  const atEdge = running.role === 'gateway';
  const entry = service.entryPathPrefix !== undefined && !isTcp(service);
  if (atEdge) check('entry', entry ? 'yes' : 'no', found.entry ? 'yes' : 'no');
  if (!atEdge || entry) {
    for (const field of fieldsOf('route')) check(field, projected(service, field), found.settings[field]);
  }
  if (atEdge && entry) compareRate(service, bucketOf(service), found.settings, check);
  comparePlaces(service, region, found, check);
}

function isToldOf(service: string, running: IstioRunning, { calls }: IstioOptions): boolean {
  if (running.inbound === undefined || calls === undefined) return true;
  return (calls[running.inbound.service]?.[service] ?? 0) > 0;
}

function comparePlaces(service: LiveService, region: RegionSpec, found: RunningTerms, check: Check): void {
  for (const name of new Set([...Object.keys(service.weights), ...Object.keys(found.weights)])) {
    check(`weight.${name}`, service.weights[name] ?? 0, found.weights[name] ?? 0);
  }
  const places = placesOf(service, region);
  const shared = sharesRequests(places);
  // Beside weights Istio knows no standby: what has no weight is not there at all.
  const there = places.filter(({ percent }) => !shared || percent > 0);
  for (const name of new Set([...there.map((place) => place.region), ...Object.keys(found.endpoints)])) {
    const field = name === region.name ? 'endpoints' : `endpoints.${name}`;
    check(field, socketsOf(there.filter((place) => place.region === name)), (found.endpoints[name] ?? []).join(' '));
  }
}

function socketsOf(places: readonly Place[]): string {
  const texts = places.flatMap(({ sockets }) => sockets.map(({ address, port }) => `${address}:${port}`));
  return texts.sort().join(' ');
}

function compareCallee(service: LiveService, region: RegionSpec, running: IstioRunning, check: Check): void {
  const settings = running.inbound?.settings ?? {};
  for (const field of fieldsOf('callee')) check(field, projected(service, field), settings[field]);
  if (isTcp(service)) return;
  if (service.entryPathPrefix === undefined) compareRate(service, inboundBucket(service, region), settings, check);
}

function compareRate(
  service: LiveService,
  bucket: { rps: number; burst: number },
  settings: RunningTerms['settings'],
  check: Check,
): void {
  check('rateLimit.rps', bucket.rps, settings['rateLimit.rps']);
  check('rateLimit.burst', bucket.burst, settings['rateLimit.burst']);
  const enforced = 'rateLimit.enforcedPercent';
  check(enforced, projected(service, enforced), settings[enforced]);
}

function fieldsOf(seat: IstioSeat): SettingField[] {
  return (Object.keys(ISTIO_PROJECTION) as SettingField[]).filter((field) => ISTIO_PROJECTION[field].seat === seat);
}
