import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HookStand } from './contract.js';
import { REFUSAL_WORDS, hookContract } from './contract.js';
import { createHooks } from './hooks.js';

describe('a hook that is a URL', () => {
  let server: Server;
  let received: unknown[];
  let status: number | null;
  let stand: HookStand;
  beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push(JSON.parse(Buffer.concat(chunks).toString()));
        if (status !== null) response.writeHead(status).end(REFUSAL_WORDS);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/entry`;
    stand = {
      hook: (does, timeoutSeconds) => {
        status = { agree: 204, refuse: 503, hang: null }[does];
        return Promise.resolve({ url, timeoutSeconds });
      },
      bodies: () => received,
      refusal: /answered 503/,
      absent: { url: 'http://127.0.0.1:1/nobody-is-here', timeoutSeconds: 2 },
    };
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  hookContract(() => stand);
});

describe('a hook that is a program', () => {
  let folder: string;
  const inFolder = (name: string): string => path.join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'psmg-hook-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function program(lines: string): string {
    const file = inFolder('move-entry');
    writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    return file;
  }

  async function call(command: readonly string[], timeoutSeconds: number): Promise<void> {
    await createHooks().call({ command, timeoutSeconds }, { a: 1 }, new AbortController().signal);
  }

  const ENDS = {
    agree: 'exit 0',
    refuse: `echo nothing of note; echo '${REFUSAL_WORDS}' >&2; exit 3`,
    hang: 'sleep 60',
  };
  hookContract(() => ({
    hook: (does, timeoutSeconds) =>
      Promise.resolve({ command: [program(`cat >> ${inFolder('bodies')}\n${ENDS[does]}`)], timeoutSeconds }),
    bodies: () =>
      readFileSync(inFolder('bodies'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    refusal: /move-entry ended with 3/,
    absent: { command: [inFolder('nobody-is-here')], timeoutSeconds: 2 },
  }));

  it('is run without a shell: its arguments arrive as they are written', async () => {
    const args = ['--region', 'a b; $(touch x)', '*'];
    await call([program(`printf '%s\\n' "$@" > ${inFolder('args')}`), ...args], 5);
    expect(readFileSync(inFolder('args'), 'utf8').trimEnd().split('\n')).toEqual(args);
  });

  it('ends in time with all that it started, even what does not listen', async () => {
    const stubborn = `trap '' TERM\n(trap '' TERM; sleep 4; touch ${inFolder('late')}) &\nsleep 4; touch ${inFolder('late')}`;
    await expect(call([program(stubborn)], 0.3)).rejects.toThrow(/did not end in 0\.3 s/);
    await new Promise((resolve) => setTimeout(resolve, 3500));
    expect(existsSync(inFolder('late'))).toBe(false);
  });

  it('keeps the last words of one that says too much, and takes one that reads nothing', async () => {
    const noisy = `exec 0<&-; i=0; while [ $i -lt 20000 ]; do echo "line $i of many" >&2; i=$((i+1)); done; exit 9`;
    const failed = call([program(noisy)], 20);
    await expect(failed).rejects.toThrow(/ended with 9: line 19995 of many\n[^]*line 19999 of many$/);
    const error = await failed.catch((thrown: unknown) => thrown);
    expect((error as Error).message.length).toBeLessThan(2200);
  });

  it('is over when the program is, whatever it left behind', async () => {
    await call([program('sleep 3 & exit 0')], 1);
  });
});
