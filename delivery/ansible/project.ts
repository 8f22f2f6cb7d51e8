import { readFileSync } from 'node:fs';

import type { FileSet } from '../../core/spec/artifact.js';
import { TARGET_SCRIPTS } from '../target/script.js';

const ROLE = 'roles/envoy_mesh';

/** The parts of the generated project that no region changes. */
const FIXED = [
  '.ansible-lint',
  'ansible.cfg',
  'site.yml',
  'callback_plugins/psmg_jsonl.py',
  `${ROLE}/defaults/main.yml`,
  `${ROLE}/handlers/main.yml`,
  `${ROLE}/meta/main.yml`,
  `${ROLE}/tasks/main.yml`,
  `${ROLE}/tasks/prepare.yml`,
  `${ROLE}/tasks/switch.yml`,
  `${ROLE}/tasks/systemd.yml`,
  `${ROLE}/templates/envoy.service.j2`,
  `${ROLE}/vars/main.yml`,
];

function read(path: string): string {
  return readFileSync(new URL(`./project/${path}`, import.meta.url), 'utf8');
}

export const FIXED_PROJECT: FileSet = {
  ...Object.fromEntries(FIXED.map((path) => [path, read(path)])),
  ...Object.fromEntries(Object.entries(TARGET_SCRIPTS).map(([name, text]) => [`${ROLE}/files/target/${name}`, text])),
};
