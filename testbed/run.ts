import { existsSync } from 'node:fs';
import path from 'node:path';

/** Folder of the project's package.json, from which every process of the testbed is started. */
export const projectRoot: string = findRoot(import.meta.dirname);

/** Arguments with which Node runs a TypeScript file of the project in one process. */
export function typescriptArgs(file: string): readonly string[] {
  return ['--import', 'tsx', path.join(projectRoot, file)];
}

function findRoot(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error('package.json of the project was not found');
  return findRoot(parent);
}
