#!/usr/bin/env node
// Plain JavaScript: it makes TypeScript loadable, then loads the command line, which reads process.argv itself.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

async function loadTypeScript() {
  try {
    const { register } = await import('tsx/esm/api');
    register();
    return true;
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error(`psmg: the npm packages are missing. Run "npm run setup" in ${root} first.`);
    process.exitCode = 1;
    return false;
  }
}

if (await loadTypeScript()) await import('../cli/main.ts');
