import type { JsonSchema } from './schema.js';
import { CatalogueError } from './source.js';

/** The region of `examples/`, which the project's pages use. */
export const SAMPLE_REGION = 'eu-west';
export const SAMPLE_FILE = 'examples/eu-west/region.yaml';

type Sample = Readonly<Record<string, unknown>>;

/** Values by field, so that a new message of known fields needs none of its own. */
const FIELDS: Sample = {
  who: 'ada',
  why: 'latency incident 42',
  address: 'storefront.rateLimit.rps',
  value: 60,
  to: 'previous',
  planHash: '1a2b3c4d5e6f',
  level: 'suggest',
  service: 'checkout',
  class: 'rateLimit',
  field: 'blocked',
};

/** What one way of sending differs in from the other. */
const VARIANTS: Readonly<Record<string, Sample>> = {
  'override update': { address: 'storefront.weight.eu-west', value: 50, until: '2099-01-01T00:00:00Z' },
  'repair signal': { field: 'blocked', value: 'none' },
  'repair update': { field: 'epoch', value: 12 },
  'clear-override update': { address: 'storefront.weight.eu-west' },
};

/** An argument for one message, sent one way, under a key of its own. */
export function sampleOf(message: string, kind: string, schema: JsonSchema): Sample {
  const key = `inc42-${message}-${kind}`;
  const chosen: Sample = { key, ...FIELDS, ...VARIANTS[`${message} ${kind}`] };
  const fields = Object.keys(schema.properties ?? {});
  const missing = (schema.required ?? []).find((field) => !Object.hasOwn(chosen, field));
  if (missing !== undefined) {
    throw new CatalogueError(`message "${message}": "${missing}" has no sample in scripts/catalogue/samples.ts`);
  }
  return Object.fromEntries(Object.entries(chosen).filter(([field]) => fields.includes(field)));
}
