import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from './locate.js';
import { lastLine, run } from './run.js';

/** A static library in Rust that a Go module carries with its Cargo.lock, for the Go code that is linked with it. */
export interface RustLibrary {
  /** The Go module. */
  module: string;
  /** Folder of the Cargo workspace in it. */
  workspace: string;
  package: string;
  /** `flux` of libflux.a. */
  library: string;
  /** Instead of the package's defaults. */
  features: readonly string[];
  /** Folder of the C headers in the module. */
  headers: string;
}

export interface RustBuild {
  /** Folder of the Go module's sources; it stays as it is. */
  sources: string;
  /** Folder to work in. */
  scratch: string;
  /** Where crates are kept when the user has no folder for them. */
  cargoHome: string;
  signal?: AbortSignal;
}

/**
 * The cargo that `PSMG_CARGO` names or that is on PATH, and its version, after a look for a C compiler, which both
 * Rust and Go link by. Throws one error that names everything that is missing.
 */
export async function findCargo(environment: Environment = process.env): Promise<{ command: string; version: string }> {
  const command = environment['PSMG_CARGO'] || 'cargo';
  const asked = { environment, timeoutMs: 20_000 };
  const [cargo, compiler] = await Promise.all([
    run(command, ['--version'], asked),
    run(environment['CC'] || 'cc', ['--version'], asked),
  ]);
  const missing = [
    ...(cargo.code === 0 ? [] : [`${command} does not run (${lastLine(cargo.stderr)})`]),
    ...(compiler.code === 0 ? [] : ['there is no C compiler "cc"']),
  ];
  if (missing.length > 0) throw new Error(missing.join(', and '));
  return { command, version: /\d+\.\d+\.\d+/.exec(cargo.stdout)?.[0] ?? 'unknown' };
}

/** Builds the library and returns the environment by which `go build` finds it. Uses one crate set: Cargo.lock's. */
export async function buildRustLibrary(
  library: RustLibrary,
  cargo: string,
  build: RustBuild,
): Promise<Record<string, string>> {
  const { scratch } = build;
  const sources = path.join(scratch, 'sources');
  const target = path.join(scratch, 'target');
  await mkdir(scratch, { recursive: true });
  // A build script reads files all over the module, and the module cache is read-only: all of it is copied.
  await cp(build.sources, sources, { recursive: true });
  await makeWritable(sources);
  await forgetToolchains(sources, library.workspace);
  const args = ['build', '--release', '--locked', '-j', '2', '-p', library.package];
  const features = ['--no-default-features', '--features', library.features.join(',')];
  const outcome = await run('nice', ['-n', '10', cargo, ...args, ...features], {
    cwd: path.join(sources, library.workspace),
    environment: {
      // Newer compilers warn of more, and such a warning is no reason to refuse.
      RUSTFLAGS: '--cap-lints allow',
      // Optimising across crates takes minutes and gains a test nothing.
      CARGO_PROFILE_RELEASE_LTO: 'false',
      CARGO_TARGET_DIR: target,
      ...cargoHome(build.cargoHome),
    },
    ...(build.signal === undefined ? {} : { signal: build.signal }),
  });
  if (outcome.code !== 0) throw new Error(`cargo build: ${reasonOf(outcome.stderr)}`);
  const folder = path.join(scratch, 'lib');
  // Beside the static library cargo leaves a shared one, and a linker that sees both takes that, which goes with scratch.
  await mkdir(folder);
  const name = `lib${library.library}.a`;
  await copyFile(path.join(target, 'release', name), path.join(folder, name));
  return {
    CGO_ENABLED: '1',
    PKG_CONFIG: await silentPkgConfig(scratch),
    CGO_CFLAGS: `-O2 -g -I${path.join(sources, library.headers)}`,
    CGO_LDFLAGS: `-O2 -g -L${folder} -l${library.library} -ldl -lpthread -lm`,
  };
}

/**
 * Go asks pkg-config for the library's flags, and then keeps what it compiled whatever they are another time. So it
 * gets none by this, and by CGO_LDFLAGS those that it heeds; the real pkg-config is not needed.
 */
async function silentPkgConfig(scratch: string): Promise<string> {
  const file = path.join(scratch, 'pkg-config');
  await writeFile(file, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return file;
}

/** A file that names one toolchain would make rustup fetch that, which nothing pins. */
async function forgetToolchains(sources: string, workspace: string): Promise<void> {
  for (const folder of [sources, path.join(sources, workspace)]) {
    for (const name of ['rust-toolchain.toml', 'rust-toolchain']) await rm(path.join(folder, name), { force: true });
  }
}

async function makeWritable(folder: string): Promise<void> {
  const outcome = await run('chmod', ['-R', 'u+w', folder]);
  if (outcome.code !== 0) throw new Error(`chmod: ${lastLine(outcome.stderr)}`);
}

function cargoHome(ours: string): Record<string, string> {
  if (process.env['CARGO_HOME'] || existsSync(path.join(homedir(), '.cargo'))) return {};
  return { CARGO_HOME: ours };
}

/** The first error says it; what comes after is mostly a summary. */
function reasonOf(stderr: string): string {
  const lines = stderr.split('\n');
  const first = lines.findIndex((line) => line.startsWith('error'));
  return first === -1
    ? lastLine(stderr)
    : lines
        .slice(first, first + 3)
        .map((line) => line.trim())
        .join(' | ');
}
