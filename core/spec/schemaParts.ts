import { z } from 'zod';

import { parseInstant } from './instant.js';
import { nearestName } from './nearest.js';
import { timeZoneNamed } from './timeZone.js';

/** What a refused value should have been, carried by a `custom` issue to the problem that a person reads. */
export interface IssueHelp {
  code?: string;
  expected?: string;
  fix?: string;
}

const DNS_LABEL = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function text(holds: (value: string) => boolean, message: string, help: IssueHelp): z.ZodType<string, string> {
  return z.string().refine(holds, { error: message, params: { ...help } });
}

export const nonEmpty = text((v) => v.trim().length > 0, 'is empty', { expected: 'text' });

export const environmentVariable = (example: string): z.ZodType<string, string> =>
  text((v) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(v), 'is not the name of an environment variable', {
    expected: `letters, digits and "_", e.g. ${example}`,
    fix: 'name the variable here; its value stays in the environment of the worker',
  });

/** Names appear as DNS names, `Host` headers and workflow ids. */
export const label = text((v) => DNS_LABEL.test(v), 'is not a DNS label', {
  expected: 'a–z, 0–9 and "-", starting with a letter, at most 63 characters',
  fix: 'rename it, e.g. "checkout-eu"',
});

export const instant = text((v) => parseInstant(v) !== null, 'is not a time with a zone', {
  expected: 'ISO 8601 with a zone',
  fix: 'write it like 2026-03-01T08:00:00Z or 2026-03-01T09:00:00+01:00',
});

export const httpUrl = text(isHttpUrl, 'is not an HTTP address', { expected: 'http://… or https://…' });

export const timeZoneName = z.string().check(({ value, issues }) => {
  if (timeZoneNamed(value) !== null) return;
  const meant = nearestName(value, Intl.supportedValuesOf('timeZone'));
  const params: IssueHelp = {
    expected: 'a name of the IANA time zone database',
    fix: meant === undefined ? 'write it like Europe/Berlin' : `did you mean "${meant}"?`,
  };
  issues.push({ code: 'custom', message: 'is not a time zone that is known', params, input: value });
});

function isHttpUrl(value: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(value).protocol);
  } catch {
    return false;
  }
}
