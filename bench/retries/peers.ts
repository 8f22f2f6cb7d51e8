import { parse, stringify } from 'yaml';

import type { FileSet } from '../../core/spec/artifact.js';
import type { Change } from '../../test/fixtures/proxiedRegion.js';

/** A way to repeat failed requests: what each sidecar of the chain is given in place of ours. */
export interface Peer {
  name: string;
  changes?: Readonly<Record<string, Change>>;
  rewrite(files: FileSet): FileSet;
}

type Json = Record<string, unknown>;

/** Envoy's own words for the retries of a route and the bounds on them in a cluster; nothing caps them at the callee. */
function peer(name: string, retryPolicy: Json, thresholds: Json): Peer {
  return {
    name,
    rewrite: (files) =>
      Object.fromEntries(
        Object.entries(files).map(([file, text]) => {
          if (file.startsWith('dyn/rds-inbound-'))
            return [file, changed(text, 'typed_per_filter_config', () => undefined)];
          if (file.startsWith('dyn/rds-')) return [file, changed(text, 'retry_policy', () => retryPolicy)];
          if (file === 'dyn/cds.yaml') return [file, changed(text, 'thresholds', (old) => bounded(old, thresholds))];
          return [file, text];
        }),
      ),
  };
}

function bounded(old: unknown, thresholds: Json): unknown {
  if (!Array.isArray(old)) throw new Error('a cluster without thresholds');
  return (old as Json[]).map(({ retry_budget: _, ...kept }) => ({ ...kept, ...thresholds }));
}

/** Every field of that name, wherever it is. */
function changed(text: string, field: string, change: (old: unknown) => unknown): string {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, old]) => [key, key === field ? change(old) : walk(old)] as const);
    return Object.fromEntries(entries.filter(([, found]) => found !== undefined));
  };
  return stringify(walk(parse(text)));
}

const ON_FAILURE = { retry_on: '5xx', num_retries: 3 };

export const PEERS: readonly Peer[] = [
  { name: 'psmg', rewrite: (files) => files },
  {
    name: 'psmg, were every layer to repeat',
    changes: Object.fromEntries(['one', 'two', 'three'].map((name) => [name, { idempotent: true }])),
    rewrite: (files) => files,
  },
  peer('Envoy, budget 20 %, at least 3', ON_FAILURE, {
    retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 },
  }),
  peer('Envoy, 3 at a time (its default)', ON_FAILURE, {}),
  peer(
    'Istio (its defaults)',
    {
      retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
      retriable_status_codes: [503],
      num_retries: 2,
      retry_host_predicate: [
        {
          name: 'envoy.retry_host_predicates.previous_hosts',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
          },
        },
      ],
      host_selection_retry_max_attempts: 5,
    },
    { max_retries: 4_294_967_295 },
  ),
];
