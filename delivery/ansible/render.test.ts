import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import type { FileSet } from '../../core/spec/artifact.js';
import type { HostSpec } from '../../core/spec/region.js';
import { locatePart } from '../../scripts/parts/locate.js';
import { PYTHON } from '../fixtures/hosts.js';
import { tinyHost, tinyRegion, tinyRelease, tinyRequest } from '../fixtures/tinyRegion.js';
import { DELIVERIES } from '../registry.js';
import { ansibleYaml, Trusted } from './yaml.js';

const root = mkdtempSync(path.join(tmpdir(), 'psmg-render-'));
const HOSTILE = `/srv/{{ lookup('pipe', 'touch ${root}/owned') }} '"$(touch ${root}/owned)`;
const local = tinyHost('/srv/mesh', { ingress: 8080, admin: 9901 }, PYTHON, '/usr/bin/envoy');
const ssh: HostSpec = {
  ...local,
  name: 'edge-2',
  zone: 'zone/ü',
  connection: 'ssh',
  directory: HOSTILE,
  ssh: {
    address: '192.0.2.7',
    port: 2222,
    user: HOSTILE,
    privateKeyFile: HOSTILE,
    hostKey: 'ssh-ed25519 AAAAC3 root@edge',
  },
  proxy: { ...local.proxy, manager: 'systemd' },
};

afterAll(() => rmSync(root, { recursive: true, force: true }));

function render(hosts: readonly HostSpec[]): FileSet {
  const release = tinyRelease(hosts, '{{ 7 * 7 }}');
  const deployment = tinyRequest(release);
  return DELIVERIES.ansible({ region: tinyRegion(hosts), deployment, releases: release.perHost });
}

async function layOut(name: string, files: FileSet): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name, file)), { recursive: true });
    await writeFile(path.join(root, name, file), text);
  }
  return path.join(root, name);
}

async function ansible(folder: string, program: string, ...argv: string[]): Promise<string> {
  const settings = [`ANSIBLE_CONFIG=${path.join(folder, 'ansible.cfg')}`, 'LC_ALL=C.UTF-8', 'ANSIBLE_NOCOLOR=1'];
  return (await promisify(execFile)('env', [...settings, program, ...argv], { cwd: folder })).stdout;
}

describe('the generated Ansible project', () => {
  it('is the same for the same input', () => {
    expect(render([local, ssh])).toEqual(render([local, ssh]));
  });

  it("passes ansible-lint's production profile", async () => {
    const folder = await layOut('lint', render([local, ssh]));
    const passed = await ansible(
      folder,
      locatePart('ansible-lint'),
      '--offline',
      '--profile',
      'production',
      '--strict',
    );
    expect(passed).toBeDefined();
  }, 120_000);

  it('gives Ansible every string of the region file as it is, and runs none of it', async () => {
    const folder = await layOut('hostile', render([local, ssh]));
    const probe = `- hosts: mesh
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "{{ {'directory': envoy_mesh_directory, 'epoch': envoy_mesh_epoch, 'expected': envoy_mesh_expected_hash} | to_json }}"
        dest: "${root}/{{ inventory_hostname }}.json"
        mode: "0644"
      delegate_to: localhost
      connection: local
      vars: { ansible_connection: local, ansible_python_interpreter: "${PYTHON}" }
    - ansible.builtin.template:
        src: roles/envoy_mesh/templates/envoy.service.j2
        dest: "${root}/{{ inventory_hostname }}.service"
        mode: "0644"
      delegate_to: localhost
      vars:
        ansible_connection: local
        ansible_python_interpreter: "${PYTHON}"
        envoy_mesh_proxy_args: ["--log-level", "100%"]
`;
    await writeFile(path.join(folder, 'probe.yml'), probe);
    await ansible(folder, locatePart('ansible-playbook'), 'probe.yml');
    const seen: unknown = JSON.parse(await readFile(path.join(root, 'edge-2.json'), 'utf8'));
    expect(seen).toEqual({ directory: HOSTILE, epoch: 1, expected: null });
    await expect(access(path.join(root, 'owned'))).rejects.toThrow();
    const unit = await readFile(path.join(root, 'edge-2.service'), 'utf8');
    const escaped = HOSTILE.replaceAll('"', '\\"').replaceAll('$', '$$$$');
    expect(unit).toContain(`\nExecStart="/usr/bin/envoy" -c "${escaped}/bootstrap.yaml" "--log-level" "100%%"\n`);
  }, 60_000);

  it('accepts only the host key that the region file states', () => {
    const files = render([local, ssh]);
    expect(files['known_hosts']).toBe('[192.0.2.7]:2222 ssh-ed25519 AAAAC3\n');
    expect(files['inventory.yml']).toContain('StrictHostKeyChecking=yes');
  });

  it('refuses names and paths that cannot be carried safely', () => {
    for (const name of ['../escape', '{{ x }}', 'all', 'a b', '-x', '']) {
      expect(() => render([{ ...local, name }])).toThrow(/cannot be the name of a host/);
    }
    expect(() => render([{ ...local, directory: '/srv/a\nExecStartPre=x' }])).toThrow(/control character/);
    expect(() => render([{ ...ssh, ssh: undefined } as unknown as HostSpec])).toThrow(/without its address/);
    const release = tinyRelease([local], 'x');
    const region = tinyRegion([local]);
    const deployment = tinyRequest(release);
    expect(() => DELIVERIES.ansible({ region, deployment, releases: {} })).toThrow(/no release for it/);
    const escaping = { [local.name]: { 'dyn/../../x': '' } };
    expect(() => DELIVERIES.ansible({ region, deployment, releases: escaping })).toThrow(/no path of a release/);
  });
});

describe('YAML for Ansible', () => {
  it('marks every string that is not our own, and keeps YAML 1.1 from reading words as booleans', () => {
    const text = ansibleYaml({ yes: 'no', list: ['1:30', 'x'.repeat(300)], own: new Trusted('{{ inventory_dir }}') });
    expect(text.match(/!unsafe/g)).toHaveLength(3);
    expect(text).toMatch(/^---\n"yes": !unsafe "no"\n/);
    expect(text).toContain('own: "{{ inventory_dir }}"');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130);
    const back: unknown = parse(text, { customTags: [{ tag: '!unsafe', resolve: (value: string) => value }] });
    expect(back).toEqual({ yes: 'no', list: ['1:30', 'x'.repeat(300)], own: '{{ inventory_dir }}' });
  });
});
