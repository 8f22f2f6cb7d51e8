import { readFileSync } from 'node:fs';

import type { FileSet } from '../../core/spec/artifact.js';

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** What is laid out in `<directory>/bin` of every host; psmg_target.py is the one to call. */
export const TARGET_SCRIPTS: FileSet = {
  'psmg_target.py': read('./psmg_target.py'),
  'psmg_proxy.py': read('./psmg_proxy.py'),
  'psmg_probe.py': read('./psmg_probe.py'),
};
