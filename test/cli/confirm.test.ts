import { spawn } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { findPython } from '../../scripts/parts/python.js';
import { projectRoot } from '../../testbed/run.js';

/** A terminal between us and the program; Python brings one, Node does not. Its exit code is the program's. */
const TERMINAL = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;
/** Nothing listens there: whoever gets as far as sending is told so. */
const NOBODY = '127.0.0.1:1';
const QUESTION = "Type the region's name to go on: ";

let python: string;

beforeAll(async () => {
  ({ command: python } = await findPython());
});

/** `psmg region abort eu-west` at a terminal, by somebody who answers with `typed`. */
async function abort(typed: string): Promise<{ code: number | null; screen: string }> {
  const words = ['region', 'abort', 'eu-west', '--who', 'ada', '--why', 'test', '--address', NOBODY];
  const program = [process.execPath, path.join(projectRoot, 'bin', 'psmg.js'), ...words];
  const child = spawn(python, ['-c', TERMINAL, ...program], { cwd: projectRoot });
  let screen = '';
  let answered = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
      if (answered || !screen.includes(QUESTION)) return;
      answered = true;
      child.stdin.write(typed);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, screen }));
  });
}

describe('what cannot be taken back is confirmed at a terminal', () => {
  it('says what will happen, and sends nothing when another name is typed', async () => {
    const { code, screen } = await abort('eu-north\n');
    expect(screen).toContain('abort ');
    expect(screen).toContain('that is not its name: nothing was sent');
    expect(code).toBe(2);
  });

  it('sends nothing at the end of the input', async () => {
    const { code, screen } = await abort('\u0004');
    expect(screen).toContain('nothing was sent');
    expect(code).toBe(2);
  });

  it("goes on when the region's name is typed", async () => {
    const { code, screen } = await abort('eu-west\n');
    expect(screen).not.toContain('nothing was sent');
    expect(screen).toContain(NOBODY);
    expect(code).not.toBe(0);
  });
});
