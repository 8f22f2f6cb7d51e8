import { NodeSSH } from 'node-ssh';

import type { HostSpec, SshSpec } from '../../core/spec/region.js';
import type { ProxyTarget } from './port.js';
import type { Executed } from './scriptTarget.js';
import { ScriptTarget, TargetError } from './scriptTarget.js';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 10_000;
const RSA = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];

export interface SshTargetOptions {
  /** Socket of the SSH agent, for hosts without a `privateKeyFile`. */
  agentSocket?: string;
}

/** A proxy on another machine, over one connection that is opened at the first use and again after it broke. */
export function createSshTarget(host: HostSpec, options: SshTargetOptions = {}): ProxyTarget {
  const connection = new Connection(host, options);
  const script = new ScriptTarget(host, (argv, stdin, signal) => connection.execute(argv, stdin, signal));
  return {
    host: host.name,
    state: (signal) => script.state(signal),
    swap: (request, signal) => script.swap(request, signal),
    // Through the script rather than a forwarded port: hardened hosts forbid forwarding.
    admin: async (path, signal) =>
      String((await script.ask('admin', { admin: host.proxy.admin, path }, signal))['body']),
    probe: (request, signal) => script.ask('probe', request, signal),
    close: () => connection.close(),
  };
}

class Connection {
  readonly #host: HostSpec;
  readonly #options: SshTargetOptions;
  #opened: Promise<NodeSSH> | undefined;

  constructor(host: HostSpec, options: SshTargetOptions) {
    this.#host = host;
    this.#options = options;
  }

  async execute(argv: readonly string[], stdin: string, signal?: AbortSignal): Promise<Executed> {
    signal?.throwIfAborted();
    const ssh = await this.#open();
    const command = argv.map(quoted).join(' ');
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
      signal?.addEventListener('abort', abort, { once: true });
    });
    try {
      const { code, stdout, stderr } = await Promise.race([ssh.execCommand(command, { stdin, noTrim: true }), aborted]);
      return { code, stdout, stderr };
    } catch (error) {
      throw signal?.aborted === true ? error : new TargetError(this.#host.name, messageOf(error));
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    const ssh = await opened?.catch(() => undefined);
    ssh?.dispose();
  }

  #open(): Promise<NodeSSH> {
    if (this.#opened === undefined) {
      const opening = connect(this.#host, this.#options, () => this.#forget(opening));
      this.#opened = opening;
      opening.catch(() => this.#forget(opening));
    }
    return this.#opened;
  }

  #forget(opening: Promise<NodeSSH>): void {
    if (this.#opened === opening) this.#opened = undefined;
  }
}

async function connect(host: HostSpec, options: SshTargetOptions, onClose: () => void): Promise<NodeSSH> {
  const spec = host.ssh;
  if (spec === undefined) throw new TargetError(host.name, 'connection ssh without its address');
  const key = hostKeyOf(host.name, spec);
  let shown: string | undefined;
  const ssh = new NodeSSH();
  try {
    await ssh.connect({
      host: spec.address,
      port: spec.port,
      username: spec.user,
      ...credentials(host.name, spec, options),
      readyTimeout: CONNECT_TIMEOUT_MS,
      keepaliveInterval: KEEPALIVE_MS,
      algorithms: { serverHostKey: key.algorithms },
      hostVerifier: (offered: Buffer) => {
        shown = offered.toString('base64');
        return shown === key.blob;
      },
    });
  } catch (error) {
    const other = shown !== undefined && shown !== key.blob;
    const words = other
      ? `refused: it showed another host key than the region file states (${shown})`
      : messageOf(error);
    throw new TargetError(host.name, `SSH to ${spec.address}:${spec.port}: ${words}`);
  }
  ssh.connection?.on('close', onClose);
  // Without a listener a broken connection would end the process; the commands under way fail by themselves.
  ssh.connection?.on('error', onClose);
  return ssh;
}

function hostKeyOf(host: string, spec: SshSpec): { blob: string; algorithms: readonly string[] } {
  const [type, blob] = spec.hostKey.trim().split(/\s+/);
  if (type === undefined || blob === undefined) throw new TargetError(host, `"${spec.hostKey}" is no host key`);
  return { blob, algorithms: type === 'ssh-rsa' ? RSA : [type] };
}

function credentials(host: string, spec: SshSpec, options: SshTargetOptions): Record<string, string> {
  if (spec.privateKeyFile !== undefined) return { privateKeyPath: spec.privateKeyFile };
  if (options.agentSocket !== undefined) return { agent: options.agentSocket };
  throw new TargetError(host, 'neither a private key file nor an SSH agent is given');
}

/** One word to a POSIX shell, whatever is in it: sshd hands every command to the user's shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
