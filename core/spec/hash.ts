import { hash } from 'node:crypto';

import type { FileSet } from './artifact.js';
import type { MeshPlan } from './plan.js';

/**
 * JSON with sorted keys and no spaces: equal values give equal text, whatever the order in which they were built.
 * `undefined` members are left out, as JSON does. Throws a TypeError for what JSON cannot carry (NaN, ±Infinity,
 * functions, BigInt), because a hash over `null` in its place would call different values equal.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`canonical JSON has no ${typeof value}`);
}

/** SHA-256 of UTF-8 text, lower-case hex. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Hash of a file set: of its paths and texts, not of the order in which they are listed. */
export function hashFiles(files: FileSet): string {
  return sha256(canonicalJson(files));
}

/** The address of a plan: approvals, adjustments and deployments are bound to it. */
export function planHash(plan: MeshPlan): string {
  return sha256(canonicalJson(plan));
}

/** Hash of one release: what every host of a region gets. */
export function releaseHash(perHost: Readonly<Record<string, FileSet>>): string {
  return sha256(canonicalJson(perHost));
}
