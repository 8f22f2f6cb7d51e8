import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import type { CertificateFiles } from '../core/spec/region.js';

const run = promisify(execFile);

/** A certificate authority in a folder, for tests and trials: its key is not protected. */
export interface Authority {
  caFile: string;
  /**
   * A certificate for both ends of a connection, valid a day, with a key of its own. Moved into place under `name` as
   * whole files, key first; what was there under that name before is replaced.
   */
  issue(name: string, hosts?: readonly string[]): Promise<CertificateFiles>;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Made by `openssl` (1.1.1 or later), which must be on the PATH; rejects with what it says when it cannot. */
export async function createAuthority(folder: string, commonName = 'psmg test authority'): Promise<Authority> {
  const own = path.join(folder, 'authority');
  await mkdir(own, { recursive: true });
  const [caKey, caFile] = [path.join(own, 'ca.key'), path.join(folder, 'ca.crt')];
  await openssl([
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    caKey,
    '-out',
    caFile,
    '-days',
    '1',
    '-subj',
    `/CN=${commonName}`,
  ]);
  let serial = 0;
  return {
    caFile,
    async issue(name, hosts = ['localhost']) {
      const staged = path.join(own, `${name}-${++serial}`);
      const [key, request, certificate, extensions] = ['key', 'csr', 'crt', 'ext'].map((kind) => `${staged}.${kind}`);
      if (key === undefined || request === undefined || certificate === undefined || extensions === undefined) {
        throw new Error('four names for four kinds');
      }
      const alternatives = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
      await writeFile(extensions, `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n`);
      await openssl(['req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${name}`]);
      const signing = ['-CA', caFile, '-CAkey', caKey, '-set_serial', String(Date.now() * 1000 + serial)];
      await openssl([
        'x509',
        '-req',
        '-in',
        request,
        ...signing,
        '-days',
        '1',
        '-extfile',
        extensions,
        '-out',
        certificate,
      ]);
      const files = {
        certificateFile: path.join(folder, `${name}.crt`),
        privateKeyFile: path.join(folder, `${name}.key`),
      };
      await rename(key, files.privateKeyFile);
      await rename(certificate, files.certificateFile);
      await Promise.all([request, extensions].map((file) => rm(file)));
      return files;
    },
  };
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args).catch((error: unknown) => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(missing ? 'openssl is not on the PATH; it makes the certificates' : String(error));
  });
}
