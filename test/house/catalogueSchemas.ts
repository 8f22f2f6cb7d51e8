import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { acceptRegion } from '../../activities/acceptRegion.js';
import type { AcceptedRegion } from '../../activities/contract.js';
import type { Ports } from '../../activities/ports.js';
import { createFileArtifactStore } from '../../adapters/artifacts/fileStore.js';
import { projectRoot } from '../../testbed/run.js';
import type { MessageName } from '../../workflows/regionLifecycle/messages.js';
import { parseMessage } from '../../workflows/shared/parse.js';

export type Message = Record<string, unknown>;

export const REGION_FILE = 'examples/eu-west/region.yaml';

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
const validators = new Map<string, ValidateFunction>();

export function schemaOf(file: string): { examples?: Message[] } {
  return JSON.parse(readFileSync(path.join(projectRoot, 'docs/schemas', file), 'utf8')) as { examples?: Message[] };
}

export function bySchema(file: string, value: unknown): boolean {
  const validate = validators.get(file) ?? ajv.compile(schemaOf(file));
  validators.set(file, validate);
  return validate(value);
}

export function samplesOf(name: MessageName): Message[] {
  return schemaOf(`arguments/${name}.json`).examples ?? [];
}

/** What a region's workflow records of the sample region before it takes its first message. */
export async function acceptSample(directory: string): Promise<AcceptedRegion> {
  const text = readFileSync(path.join(projectRoot, REGION_FILE), 'utf8');
  const ports = { artifacts: createFileArtifactStore(directory) } as unknown as Ports;
  const run = { signal: new AbortController().signal, progress: () => undefined, lastProgress: undefined };
  return acceptRegion(ports)(text, run);
}

/** Whether a message is sound by its schema, and whether the workflow takes it. */
export function verdicts(
  name: MessageName,
  message: unknown,
  accepted: AcceptedRegion,
): { schema: boolean; parser: boolean } {
  return {
    schema: bySchema(`arguments/${name}.json`, message) && namesTheRegion(name, message, accepted),
    parser: parseMessage(name, message, accepted).ok,
  };
}

/** Addresses of a schema hold for any region; those of the one at hand are what its file declares. */
function namesTheRegion(name: MessageName, message: unknown, accepted: AcceptedRegion): boolean {
  const { address } = (message ?? {}) as { address?: unknown };
  if (!name.endsWith('override') || typeof address !== 'string') return true;
  const [service = '', kind, region = ''] = address.split('.', 3);
  return accepted.services.includes(service) && (kind !== 'weight' || accepted.regions.includes(region));
}
