import path from 'node:path';
import type { Command } from 'commander';
import { EXIT, printJson } from './output.js';

const PROJECT = path.resolve(import.meta.dirname, '..');

interface CatalogOptions {
  check?: true;
  project: string;
  format: 'text' | 'json';
}

export function registerCatalog(program: Command): void {
  program
    .command('catalog')
    .description('write docs/catalog.md and docs/schemas from the workflow sources')
    .option('--check', 'write nothing; exit 1 and name what is stale')
    .option('--project <folder>', 'project whose sources are read', PROJECT)
    .option('--format <format>', 'text or json', 'text')
    .action(runCatalog);
}

async function runCatalog(options: CatalogOptions): Promise<void> {
  // The compiler takes a second to load; other commands need not wait for it.
  const { generateCatalogue, staleFiles, writeCatalogue } = await import('../scripts/catalogue/catalogue.js');
  const root = path.resolve(options.project);
  const wanted = await generateCatalogue(root);
  if (options.check === true) {
    const stale = await staleFiles(root, wanted);
    if (options.format === 'json') printJson({ stale });
    else for (const file of stale) process.stdout.write(`${file} is stale: run "npx psmg catalog"\n`);
    if (stale.length > 0) process.exitCode = EXIT.notSo;
    return;
  }
  const written = await writeCatalogue(root, wanted);
  if (options.format === 'json') printJson({ written });
  else process.stdout.write(written.length === 0 ? 'nothing was stale\n' : `${written.join('\n')}\n`);
}
