import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AUDIT_KINDS } from '../../core/audit/record.js';
import { projectRoot } from '../../testbed/run.js';
import { pageText, pages } from '../readme/readme.js';

/** As GitHub makes anchors of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const anchors = (page: string): readonly string[] =>
  [...pageText(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

interface Link {
  page: string;
  target: string;
}

function brokenLink({ page, target }: Link): boolean {
  const [file = '', anchor] = target.split('#');
  const found = file === '' ? page : path.join(path.dirname(page), file);
  if (!existsSync(path.join(projectRoot, found))) return true;
  return anchor !== undefined && !anchors(found).includes(anchor);
}

const links = pages().flatMap((page) =>
  [...pageText(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']): Link => ({ page, target })),
);

/** Words in backticks that name a file or folder of the project: a room with a slash behind it and no placeholder. */
function pathsOf(page: string): readonly string[] {
  const rooms =
    'core|mesh|delivery|adapters|activities|workflows|workers|cli|scripts|testbed|bench|docs|deploy|examples|test';
  const named = [...pageText(page).matchAll(new RegExp(`\`((?:${rooms})/[\\w./-]*)\``, 'g'))];
  return named.map(([, found = '']) => found);
}

describe('pages', () => {
  it('lead to files and headings that are there', () => {
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter(brokenLink)).toEqual([]);
    expect(brokenLink({ page: 'README.md', target: 'docs/metrics.md#no-such-heading' })).toBe(true);
    expect(brokenLink({ page: 'README.md', target: 'docs/no-such-page.md' })).toBe(true);
  });

  it.each(pages())('%s names only files and folders that are there', (page) => {
    expect(pathsOf(page).filter((found) => !existsSync(path.join(projectRoot, found)))).toEqual([]);
  });

  it('are linked from the README, but for decisions and what one of them links', () => {
    const reachable = new Set(['README.md']);
    for (const page of reachable) {
      for (const { target } of links.filter((link) => link.page === page)) {
        const found = path.join(path.dirname(page), target.split('#')[0] ?? '');
        if (found.endsWith('.md')) reachable.add(found);
      }
    }
    const lost = pages().filter((page) => !reachable.has(page) && !page.startsWith(path.join('docs', 'decisions')));
    expect(lost).toEqual([]);
  });
});

describe('docs/audit.md', () => {
  it('has every kind of record in its table, and no other', () => {
    const [, table = ''] = /^\| kind [^\n]*\n((?:\|.*\n)+)/m.exec(pageText('docs/audit.md')) ?? [];
    const [, ...rows] = table.trimEnd().split('\n');
    const kinds = rows.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((kind) => kind.trim()));
    expect(kinds.sort()).toEqual([...AUDIT_KINDS].sort());
  });
});
