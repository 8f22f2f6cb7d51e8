import { neighboursFor } from '../../core/plan/weights.js';
import type { LiveService } from '../../core/spec/live.js';
import type { RegionSpec, SocketSpec } from '../../core/spec/region.js';
import { placement } from '../envoy/names.js';

/** Endpoints of one region in one of its zones. */
export interface Place {
  region: string;
  /** `region/zone/subzone`; the sub-zone is the name of the region in PSMG. */
  locality: string;
  sockets: readonly SocketSpec[];
  /** Of all requests; over all places 100. */
  percent: number;
  /** 0: shares requests. From 1: takes over only as those before it fail. */
  rank: number;
}

/** Where the requests to a service go, by region and zone: our own endpoints, and each neighbour's gateway as one. */
export function placesOf(service: LiveService, region: RegionSpec): readonly Place[] {
  const neighbours = new Map(region.neighbours.map((neighbour) => [neighbour.name, neighbour]));
  const standby = service.failover ?? neighboursFor(service.service, region.neighbours).map(({ name }) => name);
  return placement(service, region.name, standby).flatMap(({ region: name, percent, priority: rank }): Place[] => {
    if (name === region.name) return ownPlaces(service, region, percent, rank);
    const neighbour = neighbours.get(name);
    if (neighbour === undefined) return [];
    const { locality, gateway } = neighbour;
    return [
      { region: name, locality: `${locality.region}/${locality.zone}/${name}`, sockets: [gateway], percent, rank },
    ];
  });
}

/**
 * The share of our region over its zones, by their instances. Istio would split the share of a wildcard itself, each
 * part rounded up: 10 over three zones becomes 12.
 */
function ownPlaces(service: LiveService, region: RegionSpec, percent: number, rank: number): Place[] {
  const zones = new Map<string, SocketSpec[]>();
  for (const endpoint of service.endpoints) {
    const zone = endpoint.zone ?? region.locality.zone;
    zones.set(zone, [...(zones.get(zone) ?? []), endpoint]);
  }
  const names = [...zones.keys()].sort();
  const shares = splitPercent(percent, Object.fromEntries(names.map((zone) => [zone, zones.get(zone)?.length ?? 0])));
  return names.map((zone) => ({
    region: region.name,
    locality: `${region.locality.region}/${zone}/${region.name}`,
    sockets: zones.get(zone) ?? [],
    percent: shares[zone] ?? 0,
    rank,
  }));
}

/** Whole percents by size that sum to `percent`, the largest remainders first. */
function splitPercent(percent: number, sizes: Readonly<Record<string, number>>): Record<string, number> {
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const parts = Object.entries(sizes).map(([zone, size]) => {
    const share = (percent * size) / Math.max(1, total);
    const whole = Math.floor(share + 1e-9);
    return { zone, whole, rest: share - whole };
  });
  const left = percent - parts.reduce((sum, { whole }) => sum + whole, 0);
  const byRest = [...parts].sort((a, b) => b.rest - a.rest || (a.zone < b.zone ? -1 : 1));
  const raised = new Set(byRest.slice(0, left).map(({ zone }) => zone));
  return Object.fromEntries(parts.map(({ zone, whole }) => [zone, whole + (raised.has(zone) ? 1 : 0)]));
}

/** Requests are shared by more than one region: said by weights. Otherwise by an order of who stands by. */
export function sharesRequests(places: readonly Place[]): boolean {
  return new Set(places.filter(({ rank }) => rank === 0).map(({ region }) => region)).size > 1;
}

const STANDBY_LABEL = 'psmg/within';

/**
 * Istio puts endpoints in order by how many of a list of labels they have, counted from its head. So an endpoint of
 * rank 1 of 3 carries all but the last label, and the zone of the calling proxy has no say in it.
 */
export function failoverOrder(places: readonly Place[]): readonly string[] {
  return standbyLabels(places).map((label) => `${label}=in`);
}

export function rankLabels(place: Place, places: readonly Place[]): Readonly<Record<string, string>> {
  const labels = standbyLabels(places);
  return Object.fromEntries(labels.slice(0, labels.length - place.rank).map((label) => [label, 'in']));
}

function standbyLabels(places: readonly Place[]): readonly string[] {
  if (sharesRequests(places)) return [];
  const last = Math.max(0, ...places.map(({ rank }) => rank));
  return Array.from({ length: last }, (_, i) => `${STANDBY_LABEL}-${last - 1 - i}`);
}
