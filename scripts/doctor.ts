import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { packagesInStep } from './packages.mjs';
import { cacheDirectory, findPart, findPinnedPart } from './parts/locate.js';
import type { BuiltPartName, PartName } from './parts/locate.js';
import { findPython } from './parts/python.js';
import { lastLine, run } from './parts/run.js';
import { findSshd } from './parts/sshd.js';

interface Finding {
  name: string;
  /** `missing`: needed and not there; `absent`: of use and not there. */
  state: 'ok' | 'absent' | 'missing';
  version: string;
  /** Path, address or what to do. */
  where: string;
  /** `variable`, `path`, `cache`, or empty where that has no meaning. */
  source: string;
}

const root = path.resolve(import.meta.dirname, '..');

// Programs colour their version even when nobody looks.
// eslint-disable-next-line no-control-regex -- that is what colours are made of
const COLOUR = /\u001b\[[0-9;]*m/g;

function versionIn(text: string): string {
  return /\d+\.\d+(\.\d+)?[\w.-]*/.exec(text.replace(COLOUR, ''))?.[0] ?? 'unknown';
}

async function part(name: PartName, versionArgs: readonly string[] = ['--version']): Promise<Finding> {
  try {
    const found = findPart(name);
    if (found === undefined) return { name, state: 'missing', version: '', where: 'run "npm run setup"', source: '' };
    const environment = { ANSIBLE_NOCOLOR: '1', NO_COLOR: '1' };
    const outcome = await run(found.path, versionArgs, { environment, timeoutMs: 30_000 });
    const runs = outcome.code === 0;
    const version = runs ? versionIn(outcome.stdout) : '';
    const where = runs ? found.path : `${found.path} does not run: ${lastLine(outcome.stderr)}`;
    return { name, state: runs ? 'ok' : 'missing', version, where, source: found.source };
  } catch (error) {
    return { name, state: 'missing', version: '', where: (error as Error).message, source: 'variable' };
  }
}

/** It has no option that prints a version, and without arguments it prints its usage: proof that it runs. */
async function testServer(): Promise<Finding> {
  const finding = await part('temporal-test-server', []);
  const version = /temporal-test-server-([\d.]+)-/.exec(await realpath(finding.where).catch(() => ''))?.[1];
  return { ...finding, version: version ?? finding.version };
}

async function python(): Promise<Finding> {
  try {
    const found = await findPython();
    const source = process.env['PSMG_PYTHON'] ? 'variable' : 'path';
    return { name: 'python', state: 'ok', version: found.version, where: found.command, source };
  } catch (error) {
    return { name: 'python', state: 'missing', version: '', where: (error as Error).message, source: '' };
  }
}

function packages(): Finding {
  const inStep = packagesInStep(root);
  const where = inStep ? 'in step with package-lock.json' : 'not those of package-lock.json: run "npm run setup"';
  return { name: 'npm packages', state: inStep ? 'ok' : 'missing', version: '', where, source: '' };
}

function answers(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || 7233) });
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(2_000, () => end(false)).once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

async function temporalAddress(): Promise<Finding> {
  const name = 'TEMPORAL_ADDRESS';
  const address = process.env[name];
  if (!address) return { name, state: 'ok', version: '', where: 'not set: "npm start" runs its own', source: '' };
  const ok = await answers(address);
  const where = ok ? `${address} answers` : `${address} does not answer`;
  return { name, state: ok ? 'ok' : 'missing', version: '', where, source: 'variable' };
}

function sizeBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, entry) => sum + lstatSync(path.join(entry.parentPath, entry.name)).size, 0);
}

function cache(): Finding {
  const folder = cacheDirectory();
  const mebibytes = Math.round(sizeBytes(folder) / 1024 / 1024);
  const source = process.env['PSMG_CACHE'] ? 'variable' : '';
  return { name: 'cache', state: 'ok', version: '', where: `${folder} (${mebibytes} MiB)`, source };
}

async function optional(name: string, args: readonly string[], without: string): Promise<Finding> {
  const outcome = await run(name, args, { timeoutMs: 10_000 });
  if (outcome.code !== 0) return { name, state: 'absent', version: '', where: without, source: '' };
  return { name, state: 'ok', version: versionIn(outcome.stdout || outcome.stderr), where: 'on PATH', source: 'path' };
}

/** Of what is built the folder in the cache names the version; not each program does. */
async function built(name: BuiltPartName): Promise<Finding> {
  try {
    const found = name === 'etcd' ? findPart(name) : findPinnedPart(name);
    if (found === undefined) {
      return { name, state: 'absent', version: '', where: '"npm run test:parts" builds it', source: '' };
    }
    const version = /-v(\d[\w.-]*)-[0-9a-f]{12}$/.exec(path.dirname(await realpath(found.path)))?.[1];
    return { name, state: 'ok', version: version ?? '', where: found.path, source: found.source };
  } catch (error) {
    return { name, state: 'missing', version: '', where: (error as Error).message, source: 'variable' };
  }
}

/** Some versions have no option that prints a version; all name it before their usage. */
async function sshServer(): Promise<Finding> {
  const name = 'sshd';
  const found = findSshd();
  if (found === undefined) {
    const where = 'install openssh-server for "npm run test:parts", which does it by itself for root';
    return { name, state: 'absent', version: '', where, source: '' };
  }
  const outcome = await run(found, ['-V'], { timeoutMs: 10_000 });
  return { name, state: 'ok', version: versionIn(outcome.stderr + outcome.stdout), where: found, source: 'path' };
}

async function examine(): Promise<Finding[]> {
  const node = {
    name: 'node',
    state: 'ok',
    version: process.versions.node,
    where: process.execPath,
    source: '',
  } as const;
  const probes = [
    python(),
    Promise.resolve(packages()),
    part('temporal'),
    testServer(),
    part('envoy'),
    part('ansible-playbook'),
    part('ansible-lint'),
    part('prometheus'),
    part('promtool'),
    part('node_exporter'),
    temporalAddress(),
    Promise.resolve(cache()),
    optional('flock', ['--version'], 'not on PATH; of use to look at locks by hand'),
    optional('ssh', ['-V'], 'install OpenSSH to reach hosts with connection: ssh'),
    sshServer(),
    optional('go', ['version'], '"npm run test:parts" brings its own'),
    optional('cargo', ['--version'], 'install Rust for "npm run test:parts", which builds InfluxDB with it'),
    optional('kubectl', ['version', '--client'], '"npm run test:parts" brings it'),
    ...(['istiod-files', 'pilot-discovery', 'istioctl', 'kube-apiserver', 'etcd', 'influxd'] as const).map(built),
  ];
  return [node, ...(await Promise.all(probes))];
}

function table(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, state, version, source, where }) => [name, state, version, source, where]);
  const all = [['what', 'state', 'version', 'from', 'where'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

const { values } = parseArgs({ options: { format: { type: 'string', default: 'text' } } });
const findings = await examine();
const ok = findings.every(({ state }) => state !== 'missing');
console.log(values.format === 'json' ? JSON.stringify({ ok, findings }, null, 2) : table(findings));
process.exitCode = ok ? 0 : 1;
