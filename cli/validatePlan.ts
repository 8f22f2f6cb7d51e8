import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';

import type { FileSet } from '../core/spec/artifact.js';
import { parseRegion } from '../core/spec/parseRegion.js';
import type { Problem } from '../core/spec/problem.js';
import { MESHES } from '../mesh/registry.js';
import { checkIstio } from '../mesh/istio/check.js';
import { lintIstio } from '../mesh/istio/lint.js';
import { lintWindows } from '../core/plan/lintWindows.js';
import { PLAN_FILE } from './outFolder.js';
import { planFromText } from './readPlan.js';

export interface ValidatePlanDeps {
  /** The real Envoy on a flattened configuration; absent: that check is left out. */
  validateEnvoy?(flattened: string): Promise<readonly Problem[]>;
}

/**
 * Checks a `plan.json`, or a folder that `psmg plan` wrote: the plan's shape; beside a `region.yaml` also the
 * semantic lint of every window; in a folder also each host's files, by the real proxy. All problems, each with its
 * file. A folder without a plan in it may be one host's rendered files.
 */
export async function validatePlanPath(target: string, deps: ValidatePlanDeps = {}): Promise<Problem[]> {
  const isFolder = (await stat(target)).isDirectory();
  const folder = isFolder ? target : path.dirname(target);
  const planFile = isFolder ? path.join(target, PLAN_FILE) : target;
  const planText = await readIfThere(planFile);
  const hosts = isFolder ? await hostFolders(target) : [];
  const istio = isFolder ? await istioFiles(target) : null;
  if (planText === null && hosts.length === 0 && istio === null) {
    return [
      { code: 'no-plan', file: target, field: '(folder)', message: 'holds neither plan.json nor rendered files' },
    ];
  }
  const problems = planText === null ? [] : await validatePlan(planText, planFile, path.join(folder, 'region.yaml'));
  for (const host of hosts) problems.push(...(await validateHost(host, deps)));
  if (istio !== null) problems.push(...validateIstio(istio, path.join(target, 'istio')));
  return problems;
}

async function validatePlan(text: string, file: string, regionFile: string): Promise<Problem[]> {
  const read = planFromText(text, file);
  if (!read.ok) return [...read.problems];
  const regionText = await readIfThere(regionFile);
  if (regionText === null) return [];
  const region = parseRegion(regionText, regionFile);
  if (!region.ok) return [...region.problems];
  return lintWindows(region.value, read.value).map((problem) => ({ ...problem, file }));
}

async function validateHost(folder: string, deps: ValidatePlanDeps): Promise<Problem[]> {
  const files = await readFolder(folder);
  const mesh = MESHES.envoy;
  let flattened: string;
  try {
    flattened = mesh.flatten(files);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ code: 'rendered', file: folder, field: '(folder)', message }];
  }
  const problems = (await deps.validateEnvoy?.(flattened)) ?? [];
  return problems.map((problem) => ({ file: folder, ...problem }));
}

/** By the closed schemas of Istio's own kinds, then by what they cannot see. */
function validateIstio(files: FileSet, folder: string): Problem[] {
  const found = checkIstio(files);
  const problems = found.length > 0 ? found : lintIstio(files);
  return problems.map((problem) => ({ ...problem, file: path.join(folder, problem.file ?? '') }));
}

async function istioFiles(target: string): Promise<FileSet | null> {
  const folder = path.join(target, 'istio');
  const isThere = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isThere ? readFolder(folder) : null;
}

/** Folders with a bootstrap: the target itself, or `envoy/<host>` below it. */
async function hostFolders(target: string): Promise<string[]> {
  if (await isHost(target)) return [target];
  const parent = path.join(target, 'envoy');
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(parent, entry.name));
  return folders.sort();
}

async function isHost(folder: string): Promise<boolean> {
  return (await readIfThere(path.join(folder, 'bootstrap.yaml'))) !== null;
}

async function readFolder(folder: string): Promise<FileSet> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files[path.relative(folder, file).split(path.sep).join('/')] = await readFile(file, 'utf8');
  }
  return files;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException | null)?.code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
