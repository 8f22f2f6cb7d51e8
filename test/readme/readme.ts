import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../testbed/run.js';

/** Pages that people read, relative to the project. */
export function pages(): readonly string[] {
  const docs = readdirSync(path.join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
    ...docs.filter((file) => file.endsWith('.md')).map((file) => path.join('docs', file)),
  ];
}

export function pageText(page: string): string {
  return readFileSync(path.join(projectRoot, page), 'utf8');
}

/** Lines of a page's ```sh blocks that are no comments, in order. */
export function shellLines(page: string): readonly string[] {
  const blocks = [...pageText(page).matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n')).filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
