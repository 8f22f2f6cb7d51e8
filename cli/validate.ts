import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { validateEnvoy } from '../adapters/mesh/validateEnvoy.js';
import type { Problem } from '../core/spec/problem.js';
import { locatePart } from '../scripts/parts/locate.js';
import { EXIT, printJson, refuse } from './output.js';
import { validatePlanPath } from './validatePlan.js';
import { validateRegionFile } from './validateRegion.js';

export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description('check region files, plans and rendered folders: schema, real validators, semantic lint')
    .argument('<path...>', 'region files, plan.json files, or folders that `psmg plan` wrote')
    .option('--format <format>', 'text or json', 'text')
    .action(async (paths: string[], options: { format: 'text' | 'json' }) => {
      const problems: Problem[] = [];
      for (const file of paths) problems.push(...(await problemsOf(file)));
      if (problems.length > 0) return refuse(problems, options.format);
      if (options.format === 'json') printJson({ problems: [] });
      else process.stdout.write(`${paths.join(', ')}: valid\n`);
      process.exitCode = EXIT.ok;
    });
}

async function problemsOf(file: string): Promise<readonly Problem[]> {
  const found = await stat(file).catch(() => null);
  if (found === null) return [{ code: 'no-file', file, field: '(file)', message: 'there is no such file or folder' }];
  const isPlan = found.isDirectory() || path.basename(file) === 'plan.json';
  if (!isPlan) return validateRegionFile(file);
  return validatePlanPath(file, {
    validateEnvoy: (flattened) => validateEnvoy(locatePart('envoy'), flattened),
  });
}
