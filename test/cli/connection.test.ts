import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CertificateFiles } from '../../core/spec/region.js';
import { createAuthority } from '../../testbed/certificates.js';
import { psmgWith } from './psmg.js';

jest.setTimeout(60_000);

/** What a call brought along. */
interface Call {
  path: string;
  key: string | undefined;
  namespace: string | undefined;
  /** Common name of the caller's certificate. */
  caller: string | undefined;
}

let folder: string;
let server: http2.Http2SecureServer;
let address: string;
let caFile: string;
let mine: CertificateFiles;
let calls: Call[];

/** Takes only callers with a certificate, knows no method, and remembers who asked. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'psmg-connection-'));
  const authority = await createAuthority(folder);
  ({ caFile } = authority);
  const [theirs, own] = [await authority.issue('temporal', ['localhost']), await authority.issue('ada')];
  mine = own;
  const [key, cert, ca] = await Promise.all(
    [theirs.privateKeyFile, theirs.certificateFile, caFile].map((file) => readFile(file)),
  );
  server = http2.createSecureServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true });
  server.on('stream', (stream, headers) => {
    const { socket } = stream.session ?? {};
    const text = (name: string): string | undefined => headers[name]?.toString();
    const caller = (socket as TLSSocket | undefined)?.getPeerCertificate().subject.CN;
    calls.push({
      ...{ path: text(':path') ?? '', key: text('authorization'), namespace: text('temporal-namespace') },
      caller: caller?.toString(),
    });
    const said = { 'grpc-status': '12', 'grpc-message': 'nothing is done here' };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...said }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('the server has no port');
  address = `localhost:${at.port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  calls = [];
});

async function profile(...lines: string[]): Promise<Record<string, string>> {
  const file = path.join(folder, 'temporal.toml');
  await writeFile(
    file,
    ['[profile.prod]', `address = "${address}"`, 'namespace = "shop.prod"', ...lines, ''].join('\n'),
  );
  return { TEMPORAL_CONFIG_FILE: file };
}

describe('psmg and a server that wants to know who calls', () => {
  it('shows the certificate and the key of its profile', async () => {
    const tls = [`server_ca_cert_path = "${caFile}"`, `client_cert_path = "${mine.certificateFile}"`];
    const environment = await profile(
      ...['api_key = "secret-of-ada"', '[profile.prod.tls]', ...tls, `client_key_path = "${mine.privateKeyFile}"`],
    );
    const { code, stdout, stderr } = await psmgWith(environment, 'region', 'list', '--profile', 'prod');
    const listed = calls.find((call) => call.path.endsWith('/ListWorkflowExecutions'));
    expect(listed).toMatchObject({ key: 'Bearer secret-of-ada', namespace: 'shop.prod', caller: 'ada' });
    expect(code).not.toBe(0);
    expect(stderr).toContain('nothing is done here');
    expect(stdout + stderr).not.toContain('secret-of-ada');
  });

  it('does not get in without a certificate, and says which server that was', async () => {
    const environment = await profile('[profile.prod.tls]', `server_ca_cert_path = "${caFile}"`);
    const { code, stderr } = await psmgWith(environment, 'region', 'list', '--profile', 'prod');
    expect(calls).toEqual([]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(address);
  });

  it('names a profile that is missing', async () => {
    const { code, stderr } = await psmgWith(await profile(), 'region', 'list', '--profile', 'prood');
    expect([code === 0, calls]).toEqual([false, []]);
    expect(stderr).toContain('prood');
  });
});
