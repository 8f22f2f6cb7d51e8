import type { EventSpec } from '../../spec/region.js';
import type { IcalComponent } from './icalText.js';
import { first, shown } from './icalTime.js';

const KEYS = {
  kind: 'x-psmg-kind',
  services: 'x-psmg-services',
  regions: 'x-psmg-regions',
  uplift: 'x-psmg-uplift',
  channel: 'x-psmg-channel',
  budget: 'x-psmg-budget',
} as const;

type Tell = (field: string, message: string) => void;

/** Id, kind and the rest of an event but its times; `null` where one of them is told to be wrong. */
export function fieldsOf(
  component: IcalComponent,
  tell: Tell,
): { name: string; kind: string; rest: Partial<EventSpec> } | null {
  const text = (name: string): string => plain(first(component, name));
  const name = text('summary') || text('uid') || `event of line ${component.line}`;
  const kind = text(KEYS.kind) || text('categories').toLowerCase() || 'event';
  const uplift = numberOf(component, KEYS.uplift, tell, (value) => value > -1 && value <= 100);
  const budget = numberOf(component, KEYS.budget, tell, (value) => value >= 0);
  if (uplift === null || budget === null) return null;
  const [regions, services, channel] = [listOf(text(KEYS.regions)), listOf(text(KEYS.services)), text(KEYS.channel)];
  const rest: Partial<EventSpec> = {
    ...(regions.length === 0 ? {} : { regions }),
    ...(services.length === 0 ? {} : { services }),
    ...(uplift === undefined ? {} : { uplift }),
    ...(channel === '' ? {} : { channel }),
    ...(budget === undefined ? {} : { budget }),
  };
  return { name: name.slice(0, 200), kind, rest };
}

function numberOf(
  component: IcalComponent,
  key: string,
  tell: Tell,
  holds: (value: number) => boolean,
): number | null | undefined {
  const written = plain(first(component, key));
  if (written === '') return undefined;
  const value = Number(written);
  if (Number.isFinite(value) && holds(value)) return value;
  tell(key.toUpperCase(), `"${shown(written)}" is not such a number`);
  return null;
}

/** X- properties come with their escapes, which jCal leaves alone where the type is unknown. */
function plain(value: unknown): string {
  return value === undefined
    ? ''
    : String(value)
        .replace(/\\([\\;,])/g, '$1')
        .replace(/\s+/g, ' ')
        .trim();
}

function listOf(text: string): string[] {
  return text
    .split(/[;,]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
