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
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildModule, builtFolder, goBuild, minimumGo, moduleIsBuilt, moduleVersion } from './goModule.js';
import type { BuildPrograms, GoModule } from './goModule.js';
import { influxModule } from './influx.js';
import { istioModule, locateIstioCrds } from './istio.js';
import { apiServerModule, etcdModule } from './kubernetes.js';
import { locatePinned } from './locate.js';

let folder: string;
let cache: string;
let builds: number;
let said: string[];
const say = (line: string): void => void said.push(line);
const names = istioModule.programs.map(({ name }) => name);

const build: BuildPrograms = (module, target) => {
  builds += 1;
  for (const { name } of module.programs)
    writeFileSync(path.join(target, name), `#!/bin/sh\necho ${name}\n`, { mode: 0o755 });
  for (const { file } of module.files) writeFileSync(path.join(target, path.basename(file)), 'kind: List\n');
  return Promise.resolve();
};
const program = (name: string): string => realpathSync(path.join(cache, 'bin', name));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-module-'));
  cache = path.join(folder, 'cache');
  builds = 0;
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('buildModule', () => {
  it('builds once, links every program, and leaves nothing else', async () => {
    await buildModule(istioModule, cache, build, say);
    await buildModule(istioModule, cache, build, say);
    expect(builds).toBe(1);
    expect(moduleIsBuilt(istioModule, cache)).toBe(true);
    expect(names.map((name) => path.basename(program(name)))).toEqual(names);
    expect(readdirSync(path.join(cache, 'store'))).toEqual([path.basename(builtFolder(istioModule, cache))]);
    expect(readFileSync(locateIstioCrds(cache), 'utf8')).toBe('kind: List\n');
  });

  it('builds once when two want it at the same time; the other waits', async () => {
    const slow: BuildPrograms = async (...args) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await build(...args);
    };
    await Promise.all([buildModule(istioModule, cache, slow, say), buildModule(istioModule, cache, slow, say)]);
    expect(builds).toBe(1);
    expect(said).toEqual(['waiting for another build']);
  });

  it.each<[string, () => void]>([
    ['a program that was cut short', () => truncateSync(program('istioctl'), 3)],
    ['a program that is gone', () => rmSync(program('pilot-discovery'))],
    ['definitions that are gone', () => rmSync(locateIstioCrds(cache))],
    ['a record that is gone', () => rmSync(path.join(builtFolder(istioModule, cache), 'built.json'))],
  ])('builds again for %s', async (_title, damage) => {
    await buildModule(istioModule, cache, build, say);
    damage();
    expect(moduleIsBuilt(istioModule, cache)).toBe(false);
    await buildModule(istioModule, cache, build, say);
    expect(builds).toBe(2);
    expect(moduleIsBuilt(istioModule, cache)).toBe(true);
  });

  it('takes nothing from a build that failed or forgot a program', async () => {
    const failing: BuildPrograms = async (...args) => {
      await build(...args);
      throw new Error('no network');
    };
    await expect(buildModule(istioModule, cache, failing, say)).rejects.toThrow('no network');
    const forgetful: BuildPrograms = async (module, target, tell) => {
      await build(module, target, tell);
      rmSync(path.join(target, 'istioctl'));
    };
    await expect(buildModule(istioModule, cache, forgetful, say)).rejects.toThrow('brought no istioctl');
    expect(moduleIsBuilt(istioModule, cache)).toBe(false);
    expect(readdirSync(path.join(cache, 'store'))).toEqual([]);
  });

  it('keeps what is built apart by what it is built from', () => {
    const folders = [istioModule, { ...istioModule, tags: [] }, apiServerModule, etcdModule].map((module) =>
      builtFolder(module, cache),
    );
    expect(new Set(folders).size).toBe(4);
    expect(builtFolder({ ...istioModule, minutes: 99 }, cache)).toBe(folders[0]);
  });
});

describe('goBuild', () => {
  /** A Go that writes down what it is asked and builds a script. */
  const fakeGo = (script: string): string => {
    const file = path.join(folder, 'go');
    writeFileSync(file, `#!/bin/sh\necho "$GOFLAGS|$*" >> ${folder}/asked\n${script}\n`, { mode: 0o755 });
    return file;
  };
  const small: GoModule = { ...etcdModule, files: [{ module: 'go.etcd.io/bbolt', file: 'crds/all.yaml' }] };

  it('downloads, copies files of dependencies, and builds each program with sources pinned by go.sum', async () => {
    const root = path.join(folder, 'module');
    mkdirSync(path.join(root, 'crds'), { recursive: true });
    writeFileSync(path.join(root, 'crds', 'all.yaml'), 'kind: List\n');
    const command = fakeGo(
      `case $1 in env) echo '{}' ;; list) echo ${root} ;; build) while [ "$1" != -o ]; do shift; done; cp "$0" "$2" ;; esac`,
    );
    const target = path.join(folder, 'target');
    mkdirSync(target);
    await goBuild(() => Promise.resolve({ command, version: '1.26.6' }), cache)(small, target, say);
    expect(readdirSync(target).sort()).toEqual(['all.yaml', 'etcd']);
    const asked = readFileSync(path.join(folder, 'asked'), 'utf8');
    expect(asked).toMatch(/^-mod=readonly.*\|mod download$/m);
    expect(asked).toMatch(
      /\|build -trimpath -buildvcs=false -p 2 -ldflags=-s -w -o .*\/etcd go\.etcd\.io\/etcd\/server\/v3$/m,
    );
    expect(said[0]).toContain('building with Go 1.26.6');
  });

  it('takes no program that was built and cannot run', async () => {
    const command = fakeGo(
      `case $1 in env) echo '{}' ;; build) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho no library >&2; exit 7\\n' > "$2"; chmod 755 "$2" ;; esac`,
    );
    const checked: GoModule = { ...etcdModule, programs: [{ name: 'etcd', package: '.', check: ['version'] }] };
    const building = goBuild(() => Promise.resolve({ command, version: '1.26.6' }), cache)(checked, folder, say);
    await expect(building).rejects.toThrow('etcd: no library');
  });

  it("fails with Go's own words, and does not begin once it is broken off", async () => {
    const command = fakeGo(
      `[ $1 = env ] && echo '{}' && exit; echo "go: downloading x" >&2; echo "dial tcp: no such host" >&2; exit 1`,
    );
    const go = { command, version: '1.26.6' };
    await expect(goBuild(() => Promise.resolve(go), cache)(small, folder, say)).rejects.toThrow(
      'go mod download: dial tcp: no such host',
    );
    const signal = AbortSignal.abort(new Error('broken off'));
    await expect(goBuild(() => Promise.resolve(go), cache, signal)(small, folder, say)).rejects.toThrow('broken off');
  });
});

describe('the modules', () => {
  it('are of the versions that go.mod pins', () => {
    const versions = [istioModule, apiServerModule, etcdModule, influxModule].map(moduleVersion);
    expect(versions).toEqual(['v0.0.0-20260827124520-eed52ebb66ad', 'v1.36.3', 'v3.6.8', 'v2.7.12']);
    expect([istioModule, apiServerModule].map(minimumGo)).toEqual(['1.26.0', '1.26.0']);
    // The server's own idea of its release is the one that it is built from.
    expect(apiServerModule.programs[0]?.strings?.[0]).toContain(`gitVersion=${moduleVersion(apiServerModule)}`);
    expect(influxModule.programs[0]?.strings?.[0]).toBe(`main.version=${moduleVersion(influxModule).slice(1)}`);
  });

  it('that are not built are missed by name, with what to do', () => {
    const before = process.env['PSMG_CACHE'];
    process.env['PSMG_CACHE'] = cache;
    try {
      expect(() => locatePinned('kube-apiserver')).toThrow(
        /kube-apiserver is not in .*npm run test:parts.*PSMG_KUBE_APISERVER/,
      );
      expect(() => locateIstioCrds()).toThrow(/CRDs are not in/);
    } finally {
      if (before === undefined) delete process.env['PSMG_CACHE'];
      else process.env['PSMG_CACHE'] = before;
    }
  });
});
