import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createSqliteAuditLog } from '../../adapters/audit/sqlite.js';
import { entry } from '../../core/audit/fixtures.js';
import { projectRoot } from '../../testbed/run.js';
import { pageText, pages, shellLines } from './readme.js';

jest.setTimeout(120_000);

const scripts = (JSON.parse(pageText('package.json')) as { scripts: Record<string, string> }).scripts;

/** Names of the commands that `psmg [GROUP] --help` lists. */
function commandsOf(...group: string[]): string[] {
  const psmg = path.join(projectRoot, 'bin', 'psmg.js');
  const help = execFileSync(process.execPath, [psmg, ...group, '--help'], { encoding: 'utf8' });
  const [, list = ''] = help.split('Commands:');
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
}

function mentions(pattern: RegExp): { page: string; words: string[] }[] {
  return pages().flatMap((page) =>
    [...pageText(page).matchAll(pattern)].map(([, ...words]) => ({ page, words: words.filter(Boolean) })),
  );
}

describe('commands that the pages mention', () => {
  it('npm scripts exist', () => {
    const mentioned = [
      ...mentions(/npm run ([a-z][a-z:-]*)/g),
      ...mentions(/npm (start|test)\b/g),
      // A family of scripts (`npm run bench:*`) names none.
    ].filter(({ words: [name = ''] }) => !name.endsWith(':'));
    expect(mentioned.length).toBeGreaterThan(5);
    expect(mentioned.filter(({ words: [name = ''] }) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('psmg commands exist', () => {
    const mentioned = mentions(/npx psmg (?!--)([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g);
    expect(mentioned.length).toBeGreaterThan(2);
    const commands = commandsOf();
    expect(mentioned.filter(({ words: [name = ''] }) => !commands.includes(name))).toEqual([]);
    for (const group of ['metrics', 'audit']) {
      const [shown, has] = [mentions(new RegExp(`psmg ${group} ([a-z]+)`, 'g')), commandsOf(group)];
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.filter(({ words: [name = ''] }) => !has.includes(name))).toEqual([]);
    }
    const ofRegion = mentioned.filter(({ words: [name] }) => name === 'region');
    const messages = commandsOf('region');
    expect(ofRegion.length).toBeGreaterThan(0);
    expect(ofRegion.filter(({ words: [, name = ''] }) => !messages.includes(name))).toEqual([]);
  });

  it('the commands that the README names need no server exist too', () => {
    const [, sentence = ''] =
      /has the same as commands, and ([^.]*), which need no server/.exec(pageText('README.md')) ?? [];
    const named = [...sentence.matchAll(/`([a-z]+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(3);
    expect(commandsOf()).toEqual(expect.arrayContaining(named));
  });
});

describe('lines of the README that need no server', () => {
  const lines = shellLines('README.md').filter((line) => /^(PSMG_STATE=\S+ )?npx psmg /.test(line));
  const program = `${process.execPath} ${path.join(projectRoot, 'bin', 'psmg.js')}`;
  let folder: string;

  beforeAll(async () => {
    // In place of the clone, whose own `.psmg` may be in use.
    folder = mkdtempSync(path.join(tmpdir(), 'psmg-lines-'));
    symlinkSync(path.join(projectRoot, 'examples'), path.join(folder, 'examples'));
    // As `npm start` leaves it.
    const audit = createSqliteAuditLog(path.join(folder, '.psmg', 'start', 'state', 'audit.db'));
    await audit.append('eu-west', [entry(1), entry(2)]);
    await audit.close();
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('show every such command', () => {
    const shown = new Set(lines.map((line) => /npx psmg (\S+)/.exec(line)?.[1]));
    expect([...shown].sort()).toEqual(['audit', 'forecast', 'graph', 'metrics', 'plan', 'validate']);
  });

  it.each(lines)('%s', (line) => {
    const typed = line.replace('npx psmg', program);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', typed], { cwd: folder, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) });
    if (!line.includes(' > ')) expect(stdout).not.toBe('');
  });
});
