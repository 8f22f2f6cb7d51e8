import { describe, expect, it } from '@jest/globals';

import { parseCompose } from './compose.js';
import { detectGraphSource } from './detectGraphSource.js';
import { hostsIn } from './hostHints.js';
import { parseKubernetes } from './kubernetes.js';

describe('hostsIn', () => {
  const cases: [string, string, string[]][] = [
    ['X', 'http://cart:8080/path', ['cart']],
    ['X', 'cart:8080', ['cart']],
    ['X', 'cart', []],
    ['CART_HOST', 'cart', ['cart']],
    ['X', 'a:1,b:2', ['a', 'b']],
    ['X', 'http://user:secret@cart/', ['cart']],
    ['X', 'http://${HOST:-cart}:80', ['cart']],
    ['X', 'cart.shop.svc.cluster.local', ['cart']],
    ['X', 'cart.example.com', []],
    ['MODE', 'fast', []],
  ];
  it.each(cases)('%s=%s names %j', (name, value, expected) => {
    expect(hostsIn(name, value).map(({ host }) => host)).toEqual(expected);
  });
});

describe('parseKubernetes', () => {
  const service = (name: string, app: string, namespace = 'shop') =>
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {selector: {app: ${app}}}\n---\n`;
  const workload = (app: string, container: string, kind = 'Deployment') =>
    `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: ${app}-v1, namespace: shop}\nspec: {template: {metadata: {labels: {app: ${app}}}, spec: {containers: [${container}]}}}\n---\n`;

  it('finds hosts of Services of the set in variables, arguments and config maps', () => {
    const text = [
      ...[
        service('cart', 'c'),
        service('stock', 's'),
        service('redis', 'r'),
        service('mail', 'm'),
        service('far', 'f', 'other'),
      ],
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, namespace: shop}\ndata: {MAIL_URL: "http://mail.shop:25", X: cart}\n---\n',
      workload(
        'c',
        '{image: shop/cart, args: ["--stock-host=stock"], env: [{name: R, value: "redis:6379"}, {name: S, value: stock}]}',
      ),
      workload(
        's',
        '{image: shop/stock, envFrom: [{configMapRef: {name: conf}}], env: [{name: FAR, value: "http://far.other.svc.cluster.local"}]}',
        'StatefulSet',
      ),
      workload('r', '{image: "redis:7"}'),
    ].join('');
    const parsed = parseKubernetes(text, 'all.yaml');
    expect(parsed.ok && parsed.value.edges.map((e) => [e.caller, e.callee, e.basis])).toEqual([
      ['cart', 'stock', 'hint'],
      ['stock', 'far', 'hint'],
      ['stock', 'mail', 'hint'],
    ]);
    expect(parsed.ok && parsed.value.notes).toEqual([expect.stringContaining('redis')]);
  });

  it('refuses what holds no manifest, and broken YAML with its line', () => {
    expect(parseKubernetes('a: 1', 'k.yaml')).toMatchObject({ ok: false, problems: [{ code: 'graph-empty' }] });
    expect(parseKubernetes('kind: Pod\nx: [', 'k.yaml')).toMatchObject({
      ok: false,
      problems: [{ code: 'yaml', line: 2 }],
    });
  });
});

describe('parseCompose', () => {
  it('takes URLs for more than an order of start-up, and neither for much', () => {
    const text = `services:
  web: {image: shop/web, depends_on: [cart, db], environment: ["STOCK_URL=http://stock-box:80"], links: ["mail:smtp"]}
  cart: {image: shop/cart, depends_on: {stock: {condition: service_healthy}}, environment: {STOCK_HOST: stock}}
  stock: {container_name: stock-box}
  mail: {}
  db: {image: postgres:16}
`;
    const parsed = parseCompose(text, 'compose.yaml');
    expect(parsed.ok && parsed.value.edges.map((e) => [e.caller, e.callee, e.confidence])).toEqual([
      ['web', 'stock', 0.2],
      ['web', 'mail', 0.2],
      ['web', 'cart', 0.1],
      ['cart', 'stock', 0.2],
    ]);
    expect(parseCompose('services: {a: 7, b: x}', 'c')).toMatchObject({
      ok: false,
      problems: [{ field: 'services.a' }, { field: 'services.b' }],
    });
  });
});

describe('detectGraphSource', () => {
  const cases: [string, string, string | null][] = [
    ['[]', 'zipkin.json', 'zipkin'],
    ['{"data":[],"total":0}', 'x', 'jaeger'],
    ['[{"caller":"a","callee":"b"}]', 'x.json', 'yaml'],
    ['# made by hand\n- caller: a\n  callee: b\n', 'x', 'yaml'],
    ['{"resourceSpans":[{"re', 'cut short', 'otlp'],
    ['# HELP up\nup 1\nistio_requests_total{} 1', 'x', 'istio'],
    ['name: shop\nservices:\n  a: {}\n', 'x', 'compose'],
    ['{"kind":"List","apiVersion":"v1","items":[]}', 'x', 'kubernetes'],
    ['up 1', 'x.prom', 'otel-servicegraph'],
    ['nothing that is known', 'x.bin', null],
  ];
  it.each(cases)('%s in %s is %s', (text, name, kind) => {
    expect(detectGraphSource(text, name)).toBe(kind);
  });
});
