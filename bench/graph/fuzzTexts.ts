import type { GraphSourceKind } from '../../core/spec/region.js';
import { EMIT } from './emit.js';
import { generateGraph } from './generateGraph.js';

const KUBERNETES = `apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { selector: { app: cart }, ports: [{ port: 7070 }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: addresses, namespace: shop }
data: { STOCK_URL: "http://stock.shop.svc.cluster.local:8080" }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata: { name: stock, namespace: shop }
    spec: { selector: { app: stock } }
  - apiVersion: apps/v1
    kind: Deployment
    metadata: { name: stock-v1, namespace: shop }
    spec: { template: { metadata: { labels: { app: stock } }, spec: { containers: [{ image: shop/stock:1 }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart-v1, namespace: shop }
spec:
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers:
        - image: shop/cart:1
          args: ["--stock-host=stock", "--redis=redis:6379"]
          envFrom: [{ configMapRef: { name: addresses } }]
          env:
            - { name: STOCK_ADDR, value: "stock:8080" }
            - { name: MODE, value: fast }
`;

const COMPOSE = `x-common: &common { restart: always }
services:
  web:
    <<: *common
    image: shop/web:1
    depends_on: [cart, redis]
    environment: ["CART_URL=http://cart:8080", "MODE=fast"]
  cart:
    <<: *common
    image: shop/cart:1
    environment: { STOCK_HOST: "\${STOCK_HOST:-stock}", REDIS: "redis:6379" }
    depends_on: { redis: { condition: service_started } }
  stock: { image: shop/stock:1, command: ["serve", "--port=80"] }
  redis: { image: "redis:7" }
`;

/** A valid text of every kind, small, of the graph of this seed. */
export function validTexts(seed: number): Readonly<Record<GraphSourceKind, string>> {
  const { graph, entries } = generateGraph({ services: 2 + (Math.abs(seed) % 5), seed });
  const requests = (count: number): Record<string, number> => Object.fromEntries(entries.map((name) => [name, count]));
  const counted = { graph, entries: requests(1000) };
  return {
    yaml: EMIT.yaml(counted),
    'otel-servicegraph': EMIT['otel-servicegraph'](counted),
    otlp: EMIT.otlp({ graph, entries: requests(3) }),
    jaeger: EMIT.jaeger(counted),
    zipkin: EMIT.zipkin(counted),
    kiali: EMIT.kiali(counted),
    istio: EMIT.istio(counted),
    kubernetes: KUBERNETES,
    compose: COMPOSE,
  };
}
