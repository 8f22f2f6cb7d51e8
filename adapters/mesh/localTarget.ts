import { spawn } from 'node:child_process';
import { get } from 'node:http';

import type { HostSpec, SocketSpec } from '../../core/spec/region.js';
import type { ProxyTarget } from './port.js';
import type { Executed } from './scriptTarget.js';
import { ScriptTarget, TargetError } from './scriptTarget.js';

const ADMIN_TIMEOUT_MS = 10_000;

/** A proxy on the machine that the worker itself runs on. */
export function createLocalTarget(host: HostSpec): ProxyTarget {
  const script = new ScriptTarget(host, executeHere);
  return {
    host: host.name,
    state: (signal) => script.state(signal),
    swap: (request, signal) => script.swap(request, signal),
    admin: (path, signal) => getAdmin(host.name, host.proxy.admin, path, signal),
    probe: (request, signal) => script.ask('probe', request, signal),
    close: () => Promise.resolve(),
  };
}

function executeHere(argv: readonly string[], stdin: string, signal?: AbortSignal): Promise<Executed> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { ...(signal === undefined ? {} : { signal }) });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
    // The script may end before it has read everything; its own words say why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}

function getAdmin(host: string, admin: SocketSpec, path: string, signal?: AbortSignal): Promise<string> {
  const address = ['0.0.0.0', '::'].includes(admin.address) ? '127.0.0.1' : admin.address;
  const options = { host: address, port: admin.port, path, agent: false, timeout: ADMIN_TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    const fail = (words: string): void =>
      reject(new TargetError(host, `GET ${path} on ${address}:${admin.port}: ${words}`));
    const request = get({ ...options, ...(signal === undefined ? {} : { signal }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => fail(error.message));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(body);
        else fail(`${response.statusCode} ${body.slice(0, 500)}`);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer in ${ADMIN_TIMEOUT_MS} ms`)));
    request.on('error', (error) => fail(error.message));
  });
}
