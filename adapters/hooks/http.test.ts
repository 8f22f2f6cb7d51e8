import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHttpHooks } from './http.js';
import { HookFailedError } from './port.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A hook's receiver on loopback that answers with `status`, or not at all. */
async function receiver(status: number | null): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const started = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
      if (status !== null) response.writeHead(status).end('the balancer says no');
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}/entry`, bodies };
}

describe('createHttpHooks', () => {
  const hooks = createHttpHooks();
  const body = { region: 'eu-west', phase: 'activate' };

  it('posts JSON and is content with any 2xx', async () => {
    const { url, bodies } = await receiver(204);
    await hooks.post({ url, timeoutSeconds: 5 }, body, new AbortController().signal);
    expect(bodies).toEqual([body]);
  });

  it('fails with the status and the words of the answer', async () => {
    const { url } = await receiver(503);
    const failed = hooks.post({ url, timeoutSeconds: 5 }, body, new AbortController().signal);
    await expect(failed).rejects.toThrow(HookFailedError);
    await expect(failed).rejects.toThrow(/answered 503: the balancer says no/);
  });

  it('gives up after the stated time', async () => {
    const { url } = await receiver(null);
    const failed = hooks.post({ url, timeoutSeconds: 0.2 }, body, new AbortController().signal);
    await expect(failed).rejects.toThrow(/no answer in 0.2 s/);
  });

  it('names a hook that nobody listens on', async () => {
    const failed = hooks.post({ url: 'http://127.0.0.1:1/x', timeoutSeconds: 2 }, body, new AbortController().signal);
    await expect(failed).rejects.toThrow(/http:\/\/127\.0\.0\.1:1\/x failed/);
  });
});
