import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { NotificationSpec } from '../../core/spec/region.js';

/** Where secrets that a region file names are looked up. */
export interface SecretSurroundings {
  /** Relative files are looked up from here. */
  directory: string;
  /** Value of an environment variable of the worker. */
  variable(name: string): string | undefined;
}

export type Secret = { ok: true; value: string | null } | { ok: false; reason: string };

/** Read anew for each message, so that a rotated one is taken up; `null`: the webhook asks for no signature. */
export async function secretOf(webhook: NotificationSpec, around: SecretSurroundings): Promise<Secret> {
  const { secretFile, secretVariable } = webhook;
  if (secretFile !== undefined) return fromFile(secretFile, around);
  if (secretVariable === undefined) return { ok: true, value: null };
  const value = around.variable(secretVariable)?.trim() ?? '';
  return value === ''
    ? missing(`the variable ${secretVariable} holds no secret: set it where the worker is started`)
    : { ok: true, value };
}

async function fromFile(file: string, { directory }: SecretSurroundings): Promise<Secret> {
  const found = path.resolve(directory, file);
  try {
    const value = (await readFile(found, 'utf8')).trim();
    return value === '' ? missing(`the file ${found} is empty: put the secret there`) : { ok: true, value };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return missing(`the file ${found} cannot be read (${code ?? String(error)}): put the secret there`);
  }
}

function missing(what: string): Secret {
  return { ok: false, reason: `not sent, since it could not be signed: ${what}` };
}
