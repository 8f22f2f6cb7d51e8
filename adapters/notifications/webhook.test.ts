import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NotificationSpec } from '../../core/spec/region.js';
import type { WebhookResult } from './port.js';
import { createWebhooks } from './webhook.js';

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let directory: string;
const servers: Server[] = [];
const received: Received[] = [];

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-webhook-'));
  writeFileSync(path.join(directory, 'secret'), 'from a file\n');
  writeFileSync(path.join(directory, 'empty'), '\n');
});

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  received.length = 0;
});

afterAll(() => rmSync(directory, { recursive: true }));

/** A receiver on loopback; its address ends in `/hook`. */
async function receiver(answer: (response: ServerResponse, request: Received) => void): Promise<string> {
  const started = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      answer(response, one);
    });
  });
  servers.push(started);
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/hook`;
}

const NOW_MS = Date.UTC(2026, 0, 1);
const BODY = JSON.stringify({ id: 'run-1/1', kind: 'blocked', detail: 'ünd so weiter' });

function send(url: string, webhook: Partial<NotificationSpec> = {}): Promise<WebhookResult> {
  const variable = (name: string): string | undefined => (name === 'HOOK_SECRET' ? 'from a variable' : undefined);
  const webhooks = createWebhooks({ directory, variable, now: () => NOW_MS });
  const message = { id: 'run-1/1', body: BODY };
  return webhooks.send({ url, timeoutSeconds: 5, ...webhook }, message, new AbortController().signal);
}

/** As docs/notifications.md shows it to receivers: nothing of ours is in it. */
function isSigned({ headers, body }: Received, secret: string): boolean {
  const [, time = '', given = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['psmg-signature'])) ?? [];
  const wanted = createHmac('sha256', secret).update(`${time}.${body}`).digest();
  return timingSafeEqual(Buffer.from(given.padEnd(64, '0'), 'hex'), wanted);
}

describe('createWebhooks', () => {
  it.each([
    [{ secretFile: 'secret' }, 'from a file'],
    [{ secretVariable: 'HOOK_SECRET' }, 'from a variable'],
  ])('signs what it posts, with %j', async (webhook, secret) => {
    const url = await receiver((response) => response.writeHead(204).end());
    expect(await send(url, webhook)).toEqual({ kind: 'delivered' });
    const [one] = received;
    expect(one).toMatchObject({ body: BODY, headers: { 'psmg-id': 'run-1/1', 'content-type': 'application/json' } });
    expect(one !== undefined && isSigned(one, secret)).toBe(true);
    expect(one !== undefined && isSigned(one, 'another secret')).toBe(false);
    expect(one !== undefined && isSigned({ ...one, body: `${BODY} ` }, secret)).toBe(false);
    expect(one?.headers['psmg-signature']).toContain(`t=${NOW_MS / 1000},`);
  });

  it('does not sign where no secret is named', async () => {
    const url = await receiver((response) => response.writeHead(200).end('ok'));
    expect(await send(url)).toEqual({ kind: 'delivered' });
    expect(received[0]?.headers['psmg-signature']).toBeUndefined();
  });

  it.each([
    [{ secretFile: 'nowhere' }, /nowhere cannot be read \(ENOENT\)/],
    [{ secretFile: 'empty' }, /empty is empty/],
    [{ secretVariable: 'NOT_SET' }, /variable NOT_SET holds no secret/],
  ])('posts nothing where the secret of %j is missing', async (webhook, reason) => {
    const url = await receiver((response) => response.writeHead(200).end());
    expect(await send(url, webhook)).toEqual({ kind: 'failed', reason: expect.stringMatching(reason) });
    expect(received).toEqual([]);
  });

  it('may try again after a 500, which the receiver then takes', async () => {
    const statuses = [500, 200];
    const url = await receiver((response) => response.writeHead(statuses.shift() ?? 500).end('in a minute'));
    expect(await send(url)).toEqual({ kind: 'failed', reason: 'answered 500: in a minute' });
    expect(await send(url)).toEqual({ kind: 'delivered' });
  });

  it.each([
    [400, 'given-up'],
    [404, 'given-up'],
    [408, 'failed'],
    [410, 'given-up'],
    [429, 'failed'],
    [503, 'failed'],
  ])('takes %i for %s', async (status, kind) => {
    const url = await receiver((response) => response.writeHead(status).end('no'));
    expect(await send(url)).toEqual({ kind, reason: `answered ${status}: no` });
  });

  it('does not follow a redirect', async () => {
    const url = await receiver((response) => response.writeHead(307, { location: '/elsewhere' }).end());
    const redirected = { kind: 'failed', reason: expect.stringMatching(/answered 307, a redirect/) };
    expect(await send(url, { secretFile: 'secret' })).toEqual(redirected);
    expect(received.map((one) => one.path)).toEqual(['/hook']);
  });

  it('gives up waiting after the stated time, for headers as for what follows a refusal', async () => {
    const silent = await receiver(() => undefined);
    expect(await send(silent, { timeoutSeconds: 0.2 })).toEqual({ kind: 'failed', reason: 'no answer in 0.2 s' });
    const halting = await receiver((response) => response.writeHead(500).write('half'));
    expect(await send(halting, { timeoutSeconds: 0.2 })).toMatchObject({ kind: 'failed' });
  });

  it('reads no more of a huge answer than it keeps', async () => {
    let sent = 0;
    const endless = (response: ServerResponse): void => {
      const more = (): void => {
        sent += 65_536;
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    };
    const url = await receiver((response, { path: asked }) => {
      response.writeHead(asked === '/hook' ? 500 : 200);
      endless(response);
    });
    expect(await send(url)).toEqual({ kind: 'failed', reason: 'answered 500 with more than 16 KiB' });
    expect(await send(`${url}/taken`)).toEqual({ kind: 'delivered' });
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  it('names what nobody listens on, and passes on an abort', async () => {
    expect(await send('http://127.0.0.1:1/hook')).toMatchObject({ kind: 'failed' });
    const webhooks = createWebhooks({ directory, variable: () => undefined, now: () => NOW_MS });
    const aborted = webhooks.send(
      { url: await receiver(() => undefined), timeoutSeconds: 5 },
      { id: '1', body: BODY },
      AbortSignal.timeout(100),
    );
    await expect(aborted).rejects.toThrow();
  });

  it('links to the workflow where somebody said where the UI is', () => {
    const around = { directory, variable: () => undefined, now: () => NOW_MS };
    expect(createWebhooks(around).pageOf('region/eu')).toBeUndefined();
    const workflowsUrl = 'http://localhost:8233/namespaces/default/workflows/';
    expect(createWebhooks({ ...around, workflowsUrl }).pageOf('region/eu')).toBe(
      'http://localhost:8233/namespaces/default/workflows/region%2Feu',
    );
  });
});
