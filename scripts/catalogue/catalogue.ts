import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Options } from 'prettier';
import { format } from 'prettier';
import { catalogueText } from './markdown.js';
import type { Model, SchemaFile } from './model.js';
import { readModel } from './model.js';
import { openSources } from './source.js';

const PAGE = 'docs/catalog.md';
const SCHEMAS = 'docs/schemas';

/** Path relative to the project → text. */
export type CatalogueFiles = ReadonlyMap<string, string>;

/**
 * The page and the schemas as the workflow sources below `root` want them, laid out as the project's files are.
 * Throws CatalogueError when the sources contradict each other.
 */
export async function generateCatalogue(root: string): Promise<CatalogueFiles> {
  const model = readModel(openSources(root));
  const style = JSON.parse(await readFile(path.join(root, '.prettierrc.json'), 'utf8')) as Options;
  const files = new Map([[PAGE, await format(catalogueText(model), { ...style, parser: 'markdown' })]]);
  for (const { path: file, schema } of schemaFiles(model)) {
    files.set(file, await format(JSON.stringify(schema, null, 2), { ...style, parser: 'json' }));
  }
  return files;
}

function schemaFiles(model: Model): SchemaFile[] {
  return [
    ...model.messages.flatMap((message) => [message.argumentSchema, message.resultSchema]),
    ...model.internal.map((internal) => internal.argumentSchema),
    ...model.workflows.flatMap((workflow) => [
      workflow.inputSchema,
      ...(workflow.resultSchema === null ? [] : [workflow.resultSchema]),
      ...workflow.queryResults.map(({ result }) => result),
    ]),
  ];
}

/** Files that differ from what the sources want, that are missing, or that nothing wants any more; sorted. */
export async function staleFiles(root: string, wanted: CatalogueFiles): Promise<string[]> {
  const present = await presentFiles(root);
  const stale = [...wanted].filter(([file, text]) => present.get(file) !== text).map(([file]) => file);
  return [...stale, ...[...present.keys()].filter((file) => !wanted.has(file))].sort();
}

/** Writes what is stale and removes what nothing wants any more; returns the files it changed. */
export async function writeCatalogue(root: string, wanted: CatalogueFiles): Promise<string[]> {
  const stale = await staleFiles(root, wanted);
  for (const file of stale) {
    const target = path.join(root, file);
    const text = wanted.get(file);
    if (text === undefined) {
      await rm(target);
      continue;
    }
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  return stale;
}

async function presentFiles(root: string): Promise<Map<string, string>> {
  const schemas = await readdir(path.join(root, SCHEMAS), { recursive: true, withFileTypes: true }).catch(
    ignoreMissing,
  );
  const found = schemas
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
  const texts = await Promise.all(
    [PAGE, ...found].map(async (file) => {
      const text = await readFile(path.join(root, file), 'utf8').catch(ignoreMissing);
      return typeof text === 'string' ? [[file, text] as const] : [];
    }),
  );
  return new Map(texts.flat());
}

function ignoreMissing(error: unknown): [] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
