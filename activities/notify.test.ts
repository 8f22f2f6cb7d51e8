import { describe, expect, it } from '@jest/globals';
import type { NotifyInput } from './contract.js';
import { notify } from './notify.js';
import type { ActivityRun, Ports } from './ports.js';
import type { WebhookMessage, WebhookResult, Webhooks } from '../adapters/notifications/port.js';
import type { NotificationSpec } from '../core/spec/region.js';

const TOLD: NotifyInput = {
  ...{
    specRef: { kind: 'region', hash: 'r', bytes: 1 },
    id: 'run-1/3',
    kind: 'blocked',
    at: '2026-01-01T00:00:00.000Z',
  },
  ...{ title: 'eu is blocked', detail: 'drift', workflowId: 'region/eu', planHash: 'p1', delivered: [] },
};
const RUN = { signal: new AbortController().signal } as ActivityRun;

function world(
  notifications: readonly Partial<NotificationSpec>[],
  answer: (url: string) => WebhookResult = () => ({ kind: 'delivered' }),
): { ports: Ports; posted: { url: string; message: WebhookMessage }[] } {
  const posted: { url: string; message: WebhookMessage }[] = [];
  const webhooks: Webhooks = {
    send: async ({ url }, message) => {
      posted.push({ url, message });
      return answer(url);
    },
    pageOf: (workflowId) => `http://ui/${workflowId}`,
  };
  const spec = { name: 'eu', notifications: notifications.map((one) => ({ timeoutSeconds: 1, ...one })) };
  const artifacts = { getJson: async () => spec };
  return { ports: { artifacts, notifications: webhooks } as unknown as Ports, posted };
}

describe('notify', () => {
  it('tells those that want the kind and were not told yet, each the same', async () => {
    const { ports, posted } = world([
      { url: 'http://a/1' },
      { url: 'http://b/2', on: ['reverted'] },
      { url: 'http://c/3', on: ['blocked', 'ended'] },
      { url: 'http://d/4' },
    ]);
    expect(await notify(ports)({ ...TOLD, delivered: [3] }, RUN)).toEqual({ delivered: [0, 2], problems: [] });
    expect(posted.map(({ url }) => url)).toEqual(['http://a/1', 'http://c/3']);
    const [first, second] = posted.map(({ message }) => message);
    expect(second).toEqual(first);
    expect(first?.id).toBe('run-1/3');
    expect(JSON.parse(first?.body ?? '')).toEqual({
      ...{ id: 'run-1/3', kind: 'blocked', region: 'eu', at: '2026-01-01T00:00:00.000Z', title: 'eu is blocked' },
      ...{ detail: 'drift', workflowId: 'region/eu', planHash: 'p1', ui: 'http://ui/region/eu' },
    });
  });

  it('tells apart what may still succeed and what never will, and names no path of an address', async () => {
    const results: Record<string, WebhookResult> = {
      'http://a/secret': { kind: 'failed', reason: 'answered 503' },
      'http://b:81/secret': { kind: 'given-up', reason: 'answered 410' },
      'http://c/': { kind: 'delivered' },
    };
    const urls = Object.keys(results).map((url) => ({ url }));
    const { ports } = world(urls, (url) => results[url] ?? { kind: 'delivered' });
    const outcome = await notify(ports)(TOLD, RUN);
    expect(outcome).toEqual({
      delivered: [2],
      problems: ['webhook 1 (a): answered 503'],
      givenUp: [{ index: 1, reason: 'webhook 2 (b:81): answered 410' }],
    });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it('a region that names nobody tells nobody', async () => {
    const { ports, posted } = world([]);
    expect(await notify(ports)(TOLD, RUN)).toEqual({ delivered: [], problems: [] });
    expect(posted).toEqual([]);
  });
});
