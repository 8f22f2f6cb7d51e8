import type { HostSpec } from '../../core/spec/region.js';
import { createLocalTarget } from './localTarget.js';
import type { ProxyTarget } from './port.js';
import type { SshTargetOptions } from './sshTarget.js';
import { createSshTarget } from './sshTarget.js';

const TARGETS: Readonly<Record<HostSpec['connection'], (host: HostSpec, options: SshTargetOptions) => ProxyTarget>> = {
  local: createLocalTarget,
  ssh: createSshTarget,
};

/** The proxy of a host, by the way its region file says it is reached. */
export function openTarget(host: HostSpec, options: SshTargetOptions = {}): ProxyTarget {
  return TARGETS[host.connection](host, options);
}
