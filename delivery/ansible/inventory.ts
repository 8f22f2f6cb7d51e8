import type { HostSpec, SshSpec } from '../../core/spec/region.js';
import { DeliveryRenderError } from '../renderer.js';
import { Trusted } from './yaml.js';

/** Group names are identifiers to Ansible; zones are not. */
export function zoneGroup(zone: string): string {
  return `zone_${zone.replaceAll(/[^A-Za-z0-9]/g, '_').toLowerCase()}`;
}

function connection(host: HostSpec): Record<string, unknown> {
  const python = { ansible_python_interpreter: host.python };
  if (host.connection === 'local') return { ansible_connection: new Trusted('local'), ...python };
  const ssh = sshOf(host);
  return {
    ansible_connection: new Trusted('ssh'),
    ansible_host: ssh.address,
    ansible_port: ssh.port,
    ansible_user: ssh.user,
    ...(ssh.privateKeyFile === undefined ? {} : { ansible_ssh_private_key_file: ssh.privateKeyFile }),
    // One set of quotes for Ansible's word splitting, one for ssh's own: the project may stand in a folder with spaces.
    ansible_ssh_common_args: new Trusted(
      `-o StrictHostKeyChecking=yes -o 'UserKnownHostsFile="{{ inventory_dir }}/known_hosts"' -o GlobalKnownHostsFile=none`,
    ),
    ...python,
  };
}

function sshOf(host: HostSpec): SshSpec {
  if (host.ssh === undefined) throw new DeliveryRenderError(`host ${host.name}: connection ssh without its address`);
  return host.ssh;
}

export function inventory(hosts: readonly HostSpec[]): Record<string, unknown> {
  const zones: Record<string, { hosts: Record<string, unknown> }> = {};
  for (const host of hosts) {
    const group = (zones[zoneGroup(host.zone)] ??= { hosts: {} });
    group.hosts[host.name] = connection(host);
  }
  return { all: { children: { mesh: { children: zones } } } };
}

/** Only stated keys are accepted; a host that shows another is unreachable. */
export function knownHosts(hosts: readonly HostSpec[]): string {
  const lines = hosts
    .filter((host) => host.connection === 'ssh')
    .map(sshOf)
    .map((ssh) => `${ssh.port === 22 ? ssh.address : `[${ssh.address}]:${ssh.port}`} ${keyOf(ssh.hostKey)}\n`);
  return [...new Set(lines)].sort().join('');
}

function keyOf(hostKey: string): string {
  const [type, blob] = hostKey.trim().split(/\s+/);
  if (type === undefined || blob === undefined) throw new DeliveryRenderError(`"${hostKey}" is no host key`);
  return `${type} ${blob}`;
}
