import { nearestName } from '../spec/nearest.js';
import type { RegionSpec } from '../spec/region.js';
import type { SettingField } from '../spec/settings.js';
import { SETTING_FIELDS } from '../spec/settings.js';

/** What `<service>.<field>` or `<service>.weight.<region>` names. */
export type SettingAddress =
  { kind: 'setting'; service: string; field: SettingField } | { kind: 'weight'; service: string; region: string };

export type AddressResult = { ok: true; address: SettingAddress } | { ok: false; message: string; suggestion?: string };

const FIELDS = Object.keys(SETTING_FIELDS) as SettingField[];

/** Region names that a weight of this region file may go to: its own first, then its neighbours. */
export function weightRegions(region: RegionSpec): string[] {
  return [region.name, ...region.neighbours.map((neighbour) => neighbour.name)];
}

export function parseAddress(region: RegionSpec, text: string): AddressResult {
  const dot = text.indexOf('.');
  const [service, rest] = dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
  const services = region.services.map((one) => one.name);
  if (!services.includes(service)) {
    return unknown(`no service ${JSON.stringify(service)} here`, nearestName(service, services), (name) =>
      rest === '' ? name : `${name}.${rest}`,
    );
  }
  if (rest.startsWith('weight.')) {
    const target = rest.slice('weight.'.length);
    const regions = weightRegions(region);
    if (regions.includes(target)) return { ok: true, address: { kind: 'weight', service, region: target } };
    const near = nearestName(target, regions);
    return unknown(`no region ${JSON.stringify(target)} here`, near, (name) => `${service}.weight.${name}`);
  }
  const field = FIELDS.find((name) => name === rest);
  if (field !== undefined) return { ok: true, address: { kind: 'setting', service, field } };
  const candidates = [...FIELDS, ...weightRegions(region).map((name) => `weight.${name}`)];
  return unknown(`no setting ${JSON.stringify(rest)}`, nearestName(rest, candidates), (name) => `${service}.${name}`);
}

function unknown(message: string, near: string | undefined, whole: (name: string) => string): AddressResult {
  return near === undefined ? { ok: false, message } : { ok: false, message, suggestion: whole(near) };
}
