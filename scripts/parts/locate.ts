import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export type PartName = 'envoy' | 'temporal' | 'temporal-test-server' | 'ansible-playbook' | 'ansible-lint';

/** Folder for everything that set-up brings, outside the clone; `PSMG_CACHE` overrides it. */
export function cacheDirectory(): string {
  return process.env['PSMG_CACHE'] ?? path.join(homedir(), '.cache', 'psmg');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Path of a part: its own variable (`PSMG_ENVOY`), then PATH, then the cache. Throws when none has it. */
export function locatePart(name: PartName): string {
  const variable = `PSMG_${name.toUpperCase().replaceAll('-', '_')}`;
  const cache = cacheDirectory();
  const candidates = [
    process.env[variable],
    ...(process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, name)),
    path.join(cache, 'bin', name),
    path.join(cache, 'ansible', 'bin', name),
  ];
  const found = candidates.find((file) => file !== undefined && isExecutable(file));
  if (found === undefined) {
    throw new Error(`${name} was not found on PATH or in ${cache}. Run "npm run setup", or set ${variable} to its path.`);
  }
  return found;
}
