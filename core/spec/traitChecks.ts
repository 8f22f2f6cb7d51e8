import type { Item, Raw } from './rawDocument.js';
import { isRecord, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

/** What must hold between what a region file says of one service. */
export function traitProblems({ path, value }: Item): PathProblem[] {
  const problems: PathProblem[] = [];
  if (value['protocol'] === 'tcp') {
    const clash = (field: string, message: string): void => {
      if (value[field] === undefined || value[field] === false) return;
      problems.push({ code: 'contradiction', path: [...path, field], atKey: true, message, fix: TCP_FIX });
    };
    clash('affinity', 'needs a header or a cookie, and bytes on a connection have none');
    clash('entry', 'needs a path, and bytes on a connection have none');
    clash('idempotent', 'is about requests, and bytes on a connection cannot be asked again');
  }
  const pairs = together(record(value, 'capacity'), ['cpuMsPerRequest', 'coresPerInstance'], CPU_FIX);
  return [...problems, ...pairs.map((one) => ({ ...one, path: [...path, 'capacity', ...one.path] }))];
}

const TCP_FIX = 'remove it, or state the protocol that is spoken over the connection';
const CPU_FIX = 'state both: what a request takes says nothing without what an instance has';
const COST_FIX = 'state both: how much capacity to keep is the balance of the two';

/** Two fields of which one says nothing without the other. */
function together(parent: Raw, fields: readonly [string, string], fix: string): PathProblem[] {
  const missing = fields.filter((field) => parent[field] === undefined);
  const [only] = missing;
  if (missing.length !== 1 || only === undefined) return [];
  const given = fields.find((field) => field !== only) ?? '';
  return [{ code: 'missing', path: [only], message: `is missing, and ${given} is given`, fix }];
}

export function costProblems(document: Raw): PathProblem[] {
  const pairs = together(record(document, 'costs'), ['shortagePerRequest', 'idlePerInstanceHour'], COST_FIX);
  return pairs.map((one) => ({ ...one, path: ['costs', ...one.path] }));
}

/** A region that is to outlive the loss of a zone needs instances in two; an endpoint without a zone is in the region's. */
export function survivalProblems(document: Raw, services: readonly Item[]): PathProblem[] {
  if (record(document, 'planning')['survive'] !== 'zone') return [];
  const own = record(document, 'locality')['zone'];
  return services.flatMap(({ path, value }): PathProblem[] => {
    const endpoints = value['endpoints'];
    if (!Array.isArray(endpoints) || endpoints.length === 0) return [];
    const zones = new Set(endpoints.map((one: unknown) => (isRecord(one) ? one['zone'] : undefined) ?? own));
    if (zones.size > 1) return [];
    const message = `are all in zone ${JSON.stringify([...zones][0])}, but planning.survive is "zone"`;
    const fix = 'name the zone of each endpoint, {at: address:first-last, zone: …}, or survive less';
    return [{ code: 'too-few-zones', path: [...path, 'endpoints'], message, expected: 'endpoints in two zones', fix }];
  });
}

export function tlsProblems(document: Raw): PathProblem[] {
  const tls = document['tls'];
  if (!isRecord(tls)) return [];
  if (tls['ingress'] === undefined && tls['mesh'] === undefined) {
    const message = 'says neither what users see (ingress) nor what services show each other (mesh)';
    return [{ code: 'missing', path: ['tls'], message, fix: 'add "ingress" or "mesh", or remove it for plain text' }];
  }
  return ['ingress', 'mesh'].flatMap((side): PathProblem[] => {
    const { certificateFile, privateKeyFile } = record(tls, side);
    if (certificateFile === undefined || certificateFile !== privateKeyFile) return [];
    const message = 'is the file of the certificate, which anybody may read';
    return [{ code: 'contradiction', path: ['tls', side, 'privateKeyFile'], message, fix: 'keep the key in its own' }];
  });
}
