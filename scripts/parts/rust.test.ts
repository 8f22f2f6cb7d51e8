import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildRustLibrary, findCargo } from './rust.js';
import type { RustLibrary } from './rust.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-rust-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const inFolder = (...names: string[]): string => path.join(folder, ...names);

function script(name: string, text: string): string {
  mkdirSync(inFolder('bin'), { recursive: true });
  writeFileSync(inFolder('bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return inFolder('bin', name);
}

describe('findCargo', () => {
  it('gives its version where there is a C compiler too', async () => {
    const command = script('my-cargo', 'echo cargo 1.80.1 abc');
    const environment = { PSMG_CARGO: command, CC: script('cc', 'exit 0') };
    await expect(findCargo(environment)).resolves.toEqual({ command, version: '1.80.1' });
  });

  it('names everything that is missing in one error', async () => {
    await expect(findCargo({ PATH: folder })).rejects.toThrow(
      /^cargo does not run .*, and there is no C compiler "cc"$/,
    );
  });
});

describe('buildRustLibrary', () => {
  const library: RustLibrary = {
    module: 'example.org/lang',
    workspace: 'lib',
    package: 'lang',
    library: 'lang',
    features: ['cffi'],
    headers: 'lib/include',
  };
  const sources = (): string => {
    mkdirSync(inFolder('module', 'lib'), { recursive: true });
    writeFileSync(inFolder('module', 'rust-toolchain.toml'), '');
    writeFileSync(inFolder('module', 'lib', 'Cargo.lock'), '', { mode: 0o444 });
    chmodSync(inFolder('module', 'lib'), 0o555);
    return inFolder('module');
  };
  const build = (cargo: string): Promise<Record<string, string>> =>
    buildRustLibrary(library, cargo, { sources: sources(), scratch: inFolder('scratch'), cargoHome: inFolder('home') });

  afterEach(() => {
    if (existsSync(inFolder('module', 'lib'))) chmodSync(inFolder('module', 'lib'), 0o755);
  });

  it('builds what the lock says in a copy, and tells Go of the static library alone', async () => {
    const made = 'mkdir -p $CARGO_TARGET_DIR/release; cd $CARGO_TARGET_DIR/release; touch liblang.a liblang.so';
    const cargo = script('cargo', `echo "$*" > ${inFolder('asked')}; touch built-here; ${made}`);
    const environment = await build(cargo);
    expect(readFileSync(inFolder('asked'), 'utf8').trim()).toBe(
      'build --release --locked -j 2 -p lang --no-default-features --features cffi',
    );
    expect(existsSync(inFolder('module', 'lib', 'built-here'))).toBe(false);
    expect(existsSync(inFolder('scratch', 'sources', 'rust-toolchain.toml'))).toBe(false);
    expect(execFileSync(environment['PKG_CONFIG'] ?? '', ['--libs', 'lang']).toString()).toBe('');
    expect(environment['CGO_CFLAGS']).toContain(`-I${inFolder('scratch/sources/lib/include')}`);
    const [, linked] = /-L(\S+) -llang /.exec(environment['CGO_LDFLAGS'] ?? '') ?? [];
    expect(existsSync(path.join(linked ?? '', 'liblang.a'))).toBe(true);
    expect(existsSync(path.join(linked ?? '', 'liblang.so'))).toBe(false);
    expect(environment['CGO_ENABLED']).toBe('1');
  });

  it("fails with cargo's own first error", async () => {
    const cargo = script('cargo', 'echo "warning: x" >&2; echo "error: no such crate" >&2; echo done >&2; exit 101');
    await expect(build(cargo)).rejects.toThrow('cargo build: error: no such crate | done');
  });
});
