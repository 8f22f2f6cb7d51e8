import { mkdirSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

import { buildGraph } from '../../core/graph/build.js';
import { EMIT } from './emit.js';
import type { EmittedKind } from './emit.js';

/**
 * `node --import tsx bench/graph/writeSamples.ts [folder]`: one small shop as every kind of source would tell of it. They
 * agree, so that `psmg graph examples/graphs/shop.*` merges them without a contradiction.
 */
const SHOP = [
  { caller: 'web', callee: 'cart', callsPerRequest: 0.5 },
  { caller: 'web', callee: 'catalog', callsPerRequest: 2 },
  { caller: 'web', callee: 'checkout', callsPerRequest: 0.25 },
  { caller: 'checkout', callee: 'cart', callsPerRequest: 2 },
  { caller: 'checkout', callee: 'payment', callsPerRequest: 1 },
  { caller: 'payment', callee: 'checkout', callsPerRequest: 0.2 },
];

/** Requests that the counters are over, and traces. */
const REQUESTS = 20_000;
const TRACES = 20;

const FILES: Readonly<Record<EmittedKind, string>> = {
  yaml: 'shop.edges.yaml',
  'otel-servicegraph': 'shop.servicegraph.prom',
  istio: 'shop.istio.prom',
  jaeger: 'shop.jaeger.json',
  zipkin: 'shop.zipkin.json',
  kiali: 'shop.kiali.json',
  otlp: 'shop.otlp.jsonl',
};

const MANIFESTS = `# What the manifests of the shop tell: hints.
apiVersion: v1
kind: Service
metadata: { name: checkout }
spec: { selector: { app: checkout }, ports: [{ port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: payment }
spec: { selector: { app: payment }, ports: [{ port: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: checkout-v2 }
spec:
  selector: { matchLabels: { app: checkout } }
  template:
    metadata: { labels: { app: checkout } }
    spec:
      containers:
        - name: app
          image: shop/checkout:2
          env: [{ name: PAYMENT_URL, value: http://payment:8080 }]
`;

const COMPOSE = `# What a Compose file of the shop tells: hints.
services:
  web:
    image: shop/web:2
    environment: { CART_URL: http://cart:8080, CATALOG_URL: http://catalog:8080 }
    depends_on: [cart]
  cart: { image: shop/cart:2, environment: [REDIS=redis:6379], depends_on: [redis] }
  catalog: { image: shop/catalog:2 }
  redis: { image: redis:7 }
`;

const folder = process.argv[2] ?? 'examples/graphs';
const built = buildGraph({ edges: SHOP });
if (!built.ok) throw new Error(JSON.stringify(built.problems));
mkdirSync(folder, { recursive: true });
for (const [kind, file] of Object.entries(FILES) as [EmittedKind, string][]) {
  const requests = kind === 'otlp' ? TRACES : REQUESTS;
  await write(file, EMIT[kind]({ graph: built.value, entries: { web: requests } }));
}
await write('shop.kubernetes.yaml', MANIFESTS);
await write('shop.compose.yaml', COMPOSE);

/** As the project's files are formatted, where there is a form for the kind. */
async function write(file: string, text: string): Promise<void> {
  const config = await resolveConfig('package.json');
  const isFormatted = /\.(json|yaml)$/.test(file);
  writeFileSync(`${folder}/${file}`, isFormatted ? await format(text, { ...config, filepath: file }) : text);
}
