import type { FileSet } from '../../core/spec/artifact.js';
import { canonicalJson } from '../../core/spec/hash.js';
import type { HostSpec } from '../../core/spec/region.js';
import type { DeliveryInput } from '../renderer.js';
import { DeliveryRenderError } from '../renderer.js';
import { isReleasePath, releaseManifest } from '../target/release.js';
import { inventory, knownHosts, zoneGroup } from './inventory.js';
import { FIXED_PROJECT } from './project.js';
import { ansibleYaml } from './yaml.js';

// Control characters could end a line of a systemd unit or of known_hosts.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029]/;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const RESERVED = new Set(['all', 'mesh', 'ungrouped']);

/**
 * The Ansible project of one deployment: `ansible-playbook site.yml` in its folder applies it, `--check --diff`
 * previews it. Everything from the region file is data to it: marked `!unsafe`, never in a shell line.
 */
export function renderAnsible(input: DeliveryInput): FileSet {
  const { hosts } = input.region.delivery;
  hosts.forEach(checkHost);
  return {
    ...FIXED_PROJECT,
    'inventory.yml': ansibleYaml(inventory(hosts)),
    known_hosts: knownHosts(hosts),
    'group_vars/mesh.yml': ansibleYaml(deploymentVars(input)),
    ...Object.fromEntries(hosts.map((host) => [`host_vars/${host.name}.yml`, ansibleYaml(hostVars(input, host))])),
    ...Object.assign({}, ...hosts.map((host) => releaseFiles(input, host))),
  };
}

function checkHost(host: HostSpec): void {
  if (!HOST_NAME.test(host.name) || RESERVED.has(host.name) || host.name === zoneGroup(host.zone)) {
    throw new DeliveryRenderError(`"${host.name}" cannot be the name of a host (expected a DNS name)`);
  }
  const texts = [host.directory, host.python, host.proxy.binary, ...Object.values(host.ssh ?? {}).map(String)];
  const bad = texts.find((text) => CONTROL.test(text));
  if (bad !== undefined) {
    throw new DeliveryRenderError(`host ${host.name}: ${JSON.stringify(bad)} has a control character`);
  }
}

function deploymentVars({ region, deployment }: DeliveryInput): Record<string, unknown> {
  return {
    envoy_mesh_region: region.name,
    envoy_mesh_deployment_id: deployment.deploymentId,
    envoy_mesh_epoch: deployment.epoch,
    envoy_mesh_expected_hash: deployment.expectedHash,
    envoy_mesh_release_hash: deployment.releaseHash,
    envoy_mesh_wait_seconds: region.delivery.hostWaitSeconds,
  };
}

function hostVars({ region }: DeliveryInput, host: HostSpec): Record<string, unknown> {
  return {
    envoy_mesh_over_ssh: host.connection === 'ssh',
    envoy_mesh_directory: host.directory,
    envoy_mesh_python: host.python,
    envoy_mesh_binary: host.proxy.binary,
    envoy_mesh_manager: host.proxy.manager,
    envoy_mesh_admin: { address: host.proxy.admin.address, port: host.proxy.admin.port },
    envoy_mesh_unit: `psmg-envoy-${region.name.replaceAll(/[^A-Za-z0-9]/g, '-')}.service`,
  };
}

function releaseFiles({ deployment, releases }: DeliveryInput, host: HostSpec): FileSet {
  const files = releases[host.name];
  if (files === undefined) throw new DeliveryRenderError(`host ${host.name}: there is no release for it`);
  const odd = Object.keys(files).find((path) => !isReleasePath(path));
  if (odd !== undefined)
    throw new DeliveryRenderError(`host ${host.name}: ${JSON.stringify(odd)} is no path of a release`);
  const folder = `releases/${host.name}`;
  return {
    [`${folder}/manifest.json`]: `${canonicalJson(releaseManifest(deployment.releaseHash, files))}\n`,
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text])),
  };
}
