import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeExporter, prometheusServer } from './catalogue.js';
import { aptFetch, debianIsInstalled, installDebian } from './debian.js';
import type { FetchPackage } from './debian.js';

let folder: string;
let cache: string;
let fetches: number;
let said: string[];
const say = (line: string): void => void said.push(line);
const before = process.env['PATH'];

const PACKAGE = 'a package';
const PIN = createHash('sha256').update(PACKAGE).digest('hex');
const inFolder = (...names: string[]): string => path.join(folder, ...names);
const program = (name: string): string => realpathSync(path.join(cache, 'bin', name));

function script(name: string, text: string): void {
  mkdirSync(inFolder('bin'), { recursive: true });
  writeFileSync(inFolder('bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** Lays out what the packages have; `dpkg-deb -x FILE FOLDER` is the real one's form. */
function dpkgDeb(programs = ['prometheus', 'promtool', 'prometheus-node-exporter']): void {
  const made = programs.map((name) => `echo '#!/bin/sh' > "$3/usr/bin/${name}"; chmod 755 "$3/usr/bin/${name}"`);
  script('dpkg-deb', ['mkdir -p "$3/usr/bin"', ...made].join('\n'));
}

const fetch = (version = prometheusServer.version, text = PACKAGE): FetchPackage => {
  return (_part, scratch) => {
    fetches += 1;
    const file = path.join(scratch, 'prometheus.deb');
    writeFileSync(file, text);
    return Promise.resolve({ file, version });
  };
};
const install = (by = fetch()): Promise<void> => installDebian(prometheusServer, PIN, cache, by, say);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-debian-'));
  cache = inFolder('cache');
  fetches = 0;
  said = [];
  process.env['PATH'] = `${inFolder('bin')}${path.delimiter}${before}`;
  dpkgDeb();
});
afterEach(() => {
  process.env['PATH'] = before;
  rmSync(folder, { recursive: true, force: true });
});

describe('installDebian', () => {
  it('fetches once, links every program, and leaves nothing else', async () => {
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(false);
    await install();
    await install();
    expect(fetches).toBe(1);
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(true);
    expect(['prometheus', 'promtool'].map((name) => path.basename(program(name)))).toEqual(['prometheus', 'promtool']);
    expect(readdirSync(path.join(cache, 'store'))).toEqual([
      `prometheus-${prometheusServer.version}-${PIN.slice(0, 12)}`,
    ]);
    expect(said).toEqual([]);
  });

  it('links a program under the name of the part', async () => {
    await installDebian(nodeExporter, PIN, cache, fetch(nodeExporter.version), say);
    expect(path.basename(program('node_exporter'))).toBe('node_exporter');
  });

  it.each<[string, () => void]>([
    ['a program that was cut short', () => truncateSync(program('promtool'), 3)],
    ['a program that is gone', () => rmSync(program('prometheus'))],
  ])('fetches again for %s', async (_title, damage) => {
    await install();
    damage();
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(false);
    await install();
    expect(fetches).toBe(2);
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(true);
  });

  it('refuses the pinned version with another hash, and takes nothing of it', async () => {
    await expect(install(fetch(prometheusServer.version, 'another'))).rejects.toThrow(/SHA-256 of the package is/);
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(false);
    expect(readdirSync(path.join(cache, 'store'))).toEqual([]);
  });

  it('says so when the archive has another version by now', async () => {
    await install(fetch('2.42.0+ds-5+deb12u9', 'a newer one'));
    expect(said).toEqual([expect.stringContaining('2.42.0+ds-5+deb12u9 instead')]);
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(true);
  });

  it('refuses a package without one of its programs', async () => {
    dpkgDeb(['prometheus']);
    await expect(install()).rejects.toThrow('prometheus brought no usr/bin/promtool');
    expect(debianIsInstalled(prometheusServer, PIN, cache)).toBe(false);
  });
});

const onLinux = process.platform === 'linux' ? describe : describe.skip;
onLinux('aptFetch', () => {
  const asked = (): string[] => readFileSync(inFolder('asked'), 'utf8').trim().split('\n');
  const note = `echo "\${*##* -o }" | sed 's/.* \\(download\\|update\\)/\\1/' >> "${'$'}ASKED"`;
  const fetchReal = async (): Promise<string> => {
    mkdirSync(inFolder('scratch'));
    const fetched = await aptFetch({ PATH: process.env['PATH'], ASKED: inFolder('asked') })(
      nodeExporter,
      inFolder('scratch'),
    );
    return fetched.version;
  };

  it('takes the pinned version', async () => {
    script('apt-get', `${note}; echo > 'prometheus-node-exporter_1.5.0-1+b6_amd64.deb'`);
    await expect(fetchReal()).resolves.toBe(nodeExporter.version);
    expect(asked()).toEqual(['download prometheus-node-exporter=1.5.0-1+b6']);
  });

  it('by fresh lists takes what there is where the pinned version is gone', async () => {
    const gone = `case "$*" in *=1.5.0-1+b6) echo "E: not found" >&2; exit 100;; esac`;
    const found = `case "$*" in *download*) echo > 'prometheus-node-exporter_1%3a1.9.0-1_amd64.deb';; esac`;
    script('apt-get', `${note}; ${gone}; ${found}`);
    await expect(fetchReal()).resolves.toBe('1:1.9.0-1');
    expect(asked()).toEqual([
      'download prometheus-node-exporter=1.5.0-1+b6',
      'update',
      'download prometheus-node-exporter=1.5.0-1+b6',
      'download prometheus-node-exporter',
    ]);
  });

  it('names why nothing could be had', async () => {
    script('apt-get', 'echo "E: Unable to locate package" >&2; exit 100');
    await expect(fetchReal()).rejects.toThrow(/apt-get download prometheus-node-exporter=1.5.0-1\+b6: E: Unable/);
  });
});
