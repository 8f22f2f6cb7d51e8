import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from '../lock.mjs';
import { BUILD_LOCK, goEnvironment, ownCaches } from './go.js';
import type { Go } from './go.js';
import type { BuiltPartName } from './locate.js';
import { isExecutableFile } from './locate.js';
import { lastLine, run } from './run.js';
import { buildRustLibrary, findCargo } from './rust.js';
import type { RustLibrary } from './rust.js';
import {
  discard,
  filesAreWhole,
  linkPrograms,
  programsAreLinked,
  recordFiles,
  scratchDirectory,
  storeDirectory,
} from './store.js';

export interface GoProgram {
  name: BuiltPartName;
  /** Import path; `.` is the module's own. */
  package: string;
  /** `name=value` of strings that the program has its version in. */
  strings?: readonly string[];
  /** Arguments with which it ends well at once, when it can run at all: what is linked with more than Go may not. */
  check?: readonly string[];
}

/** A file that a dependency carries and the tests need: copied beside the programs, so that it is of the same version. */
export interface ModuleFile {
  module: string;
  file: string;
}

/** Programs that are built from one go.mod, whose go.sum pins every source by hash. */
export interface GoModule {
  name: string;
  /** Folder of go.mod and go.sum, beside this file. */
  folder: string;
  /** The dependency that gives the version. */
  versionOf: string;
  tags: readonly string[];
  programs: readonly GoProgram[];
  files: readonly ModuleFile[];
  /** What the programs are linked with besides Go; such a build needs a C compiler too. */
  rust?: RustLibrary;
  /** Minutes that a build from nothing takes on two free cores, for who waits. */
  minutes: number;
  /** What to install where more than Go is needed. */
  byHand?: string;
}

export type Say = (state: string) => void;

/** Makes the programs and files of `module` in `folder`. */
export type BuildPrograms = (module: GoModule, folder: string, say: Say) => Promise<void>;

const RECORD = 'built.json';

function sourceFolder(module: GoModule): string {
  return path.join(import.meta.dirname, module.folder);
}

function goMod(module: GoModule): string {
  return readFileSync(path.join(sourceFolder(module), 'go.mod'), 'utf8');
}

/** Version of the dependency that the module is built for, `v1.36.3`. */
export function moduleVersion(module: GoModule): string {
  const lines = goMod(module)
    .split('\n')
    .map((line) => line.trim().replace(/^require /, ''));
  return lines.find((line) => line.startsWith(`${module.versionOf} v`))?.split(' ')[1] ?? 'unknown';
}

/** The oldest Go that will do, by go.mod. */
export function minimumGo(module: GoModule): string {
  return /^go (\S+)$/m.exec(goMod(module))?.[1] ?? '1.26.0';
}

/** Everything that decides what is built, but for the compiler. */
function contentHash(module: GoModule): string {
  const hash = createHash('sha256').update(JSON.stringify({ ...module, minutes: 0, byHand: undefined }));
  for (const name of readdirSync(sourceFolder(module)).sort()) {
    const file = path.join(sourceFolder(module), name);
    if (statSync(file).isFile()) hash.update(name).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Folder in the cache where the module's programs and files are, or will be. */
export function builtFolder(module: GoModule, cache: string): string {
  return storeDirectory(cache, `${module.name}-${moduleVersion(module)}-${contentHash(module)}`);
}

function programsOf({ programs }: GoModule): readonly string[] {
  return programs.map(({ name }) => name);
}

function filesOf(module: GoModule): readonly string[] {
  return [...programsOf(module), ...module.files.map(({ file }) => path.basename(file))];
}

function isWhole(module: GoModule, folder: string): boolean {
  return filesAreWhole(folder, RECORD, filesOf(module));
}

/** Are all programs of the module in the cache, as they were built from the sources as they are now, and linked? */
export function moduleIsBuilt(module: GoModule, cache: string): boolean {
  const folder = builtFolder(module, cache);
  return programsAreLinked(cache, folder, programsOf(module)) && isWhole(module, folder);
}

/** Brings the module's programs into the cache. A build that was broken off leaves nothing but Go's own caches. */
export async function buildModule(module: GoModule, cache: string, build: BuildPrograms, say: Say): Promise<void> {
  const folder = builtFolder(module, cache);
  if (!isWhole(module, folder)) {
    await withLock(path.join(cache, 'locks', BUILD_LOCK), () => buildInto(module, folder, cache, build, say), {
      onWait: () => say('waiting for another build'),
    });
  }
  await linkPrograms(cache, folder, programsOf(module));
}

async function buildInto(
  module: GoModule,
  folder: string,
  cache: string,
  build: BuildPrograms,
  say: Say,
): Promise<void> {
  if (isWhole(module, folder)) return;
  const scratch = scratchDirectory(cache);
  await mkdir(scratch, { recursive: true });
  try {
    await build(module, scratch, say);
    for (const name of programsOf(module)) {
      const built = isExecutableFile(path.join(scratch, name));
      if (!built) throw new Error(`the build of ${module.name} brought no ${name}`);
    }
    await recordFiles(scratch, RECORD, filesOf(module));
    await discard(folder);
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type RunGo = (what: string, args: readonly string[], more?: Readonly<Record<string, string>>) => Promise<string>;

/** Builds by `go build`, politely: at low priority and on two cores at most. */
export function goBuild(go: (minimum: string) => Promise<Go>, cache: string, signal?: AbortSignal): BuildPrograms {
  return async (module, folder, say) => {
    signal?.throwIfAborted();
    // Before minutes go by: what is missing is said at once.
    const cargo = module.rust === undefined ? undefined : await findCargo();
    const found = await go(minimumGo(module));
    const environment = await goEnvironment(found, cache);
    const cwd = sourceFolder(module);
    const runGo: RunGo = async (what, args, more = {}) => {
      const outcome = await run('nice', ['-n', '10', found.command, ...args], {
        environment: { ...environment, ...more },
        cwd,
        ...(signal === undefined ? {} : { signal }),
      });
      if (outcome.code !== 0) throw new Error(`${what}: ${reasonOf(outcome.stderr)}`);
      return outcome.stdout;
    };
    const tools = `Go ${found.version}${cargo === undefined ? '' : ` and Rust ${cargo.version}`}`;
    say(`building with ${tools}; from nothing it takes about ${module.minutes} min on two free cores`);
    // The hosts of what is missing are in Go's own words; a build would name only the first.
    await runGo('go mod download', ['mod', 'download']);
    const scratch = scratchDirectory(cache);
    try {
      const more =
        cargo === undefined ? {} : await rustLibrary(module, cargo.command, runGo, { scratch, cache, signal });
      await buildAll(module, folder, say, (what, args) => runGo(what, args, more));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };
}

async function buildAll(module: GoModule, folder: string, say: Say, runGo: RunGo): Promise<void> {
  for (const { module: name, file } of module.files) {
    const copy = path.join(folder, path.basename(file));
    await copyFile(path.join(await moduleSources(name, runGo), file), copy);
    await chmod(copy, 0o644);
  }
  for (const program of module.programs) {
    const startedAt = Date.now();
    const file = path.join(folder, program.name);
    await runGo(`go build ${program.name}`, buildArguments(module, program, file));
    const checked = program.check === undefined ? undefined : await run(file, program.check, { timeoutMs: 60_000 });
    if (checked !== undefined && checked.code !== 0) throw new Error(`${program.name}: ${lastLine(checked.stderr)}`);
    say(`${program.name} built (${Math.round((Date.now() - startedAt) / 1000)} s)`);
  }
}

async function moduleSources(name: string, runGo: RunGo): Promise<string> {
  return (await runGo(`go list ${name}`, ['list', '-m', '-f', '{{.Dir}}', name])).trim();
}

/** Builds what the module is linked with, in `scratch`; the environment in which Go finds it there. */
async function rustLibrary(
  { rust }: GoModule,
  cargo: string,
  runGo: RunGo,
  { scratch, cache, signal }: { scratch: string; cache: string; signal: AbortSignal | undefined },
): Promise<Record<string, string>> {
  if (rust === undefined) return {};
  return buildRustLibrary(rust, cargo, {
    sources: await moduleSources(rust.module, runGo),
    scratch,
    cargoHome: path.join(ownCaches(cache), 'cargo'),
    ...(signal === undefined ? {} : { signal }),
  });
}

function buildArguments(module: GoModule, program: GoProgram, output: string): string[] {
  const strings = (program.strings ?? []).map((text) => `-X ${text}`);
  const link = ['-s', '-w', ...strings].join(' ');
  const tags = module.tags.length === 0 ? [] : [`-tags=${module.tags.join(',')}`];
  return [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-p',
    '2',
    ...tags,
    `-ldflags=${link}`,
    '-o',
    output,
    program.package,
  ];
}

/** Go repeats a failed download for every package that wanted it: the first says it, the last is often a summary. */
function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('go: downloading'));
  return lines.slice(0, 3).join(' | ') || lastLine(stderr);
}
