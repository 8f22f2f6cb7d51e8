import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { withLock } from './lock.mjs';

// Plain JavaScript: this is what brings the npm packages.

const MARKER = '.psmg-lock-sha256';

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
}

/** npm's own record of what it laid out, for folders that somebody filled by `npm install` or `npm ci` by hand. */
function matchesHiddenLock(root) {
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  const laid = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || laid === undefined) return false;
  const names = Object.keys(wanted).filter((name) => name !== '');
  return names.every((name) => {
    const entry = wanted[name];
    const present = laid[name];
    if (present === undefined) return entry.optional === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

/** Are the packages in node_modules those of package-lock.json? */
export function packagesInStep(root) {
  const marker = path.join(root, 'node_modules', MARKER);
  const hash = lockHash(root);
  if (existsSync(marker) && readFileSync(marker, 'utf8').trim() === hash) return true;
  if (!matchesHiddenLock(root)) return false;
  writeFileSync(marker, `${hash}\n`);
  return true;
}

/** npx looks in node_modules/.bin first; npm links the bins of dependencies there, never the project's own. */
export function linkOwnBin(root) {
  const folder = path.join(root, 'node_modules', '.bin');
  const link = path.join(folder, 'psmg');
  const target = path.join('..', '..', 'bin', 'psmg.js');
  try {
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link) === target) return;
  } catch {
    // Not there yet.
  }
  mkdirSync(folder, { recursive: true });
  const draft = `${link}.${process.pid}`;
  symlinkSync(target, draft);
  renameSync(draft, link);
  chmodSync(path.join(root, 'bin', 'psmg.js'), 0o755);
}

function npmCi(root) {
  // The npm that runs this script, when one does; else the one on PATH.
  const cli = process.env['npm_execpath'];
  const usable = cli !== undefined && /npm-cli\.c?js$/.test(cli);
  const command = usable ? process.execPath : 'npm';
  const args = [...(usable ? [cli] : []), 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return new Promise((resolve, reject) => {
    // stdout is for results (`--json`); npm's summary belongs with the progress.
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', (error) => reject(new Error(`npm could not be started (${error.message}). Install npm.`)));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ci failed (${signal ?? `exit ${code}`}); its own message is above.`));
    });
  });
}

/** Brings node_modules in step with package-lock.json. Safe against a second set-up of the same clone. */
export async function ensurePackages(root, say) {
  if (!packagesInStep(root)) {
    const onWait = () => say('npm packages … waiting for another set-up of this clone');
    await withLock(
      path.join(root, '.psmg', 'packages.lock'),
      async () => {
        if (packagesInStep(root)) return;
        say('npm packages … installing');
        const startedAt = Date.now();
        await npmCi(root);
        writeFileSync(path.join(root, 'node_modules', MARKER), `${lockHash(root)}\n`);
        say(`npm packages … installed (${Math.round((Date.now() - startedAt) / 1000)} s)`);
      },
      { onWait },
    );
  }
  linkOwnBin(root);
}
