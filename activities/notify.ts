import type { NotifyInput, NotifyOutcome } from './contract.js';
import type { Activity, Ports } from './ports.js';
import type { WebhookResult } from '../adapters/notifications/port.js';
import type { NotificationSpec, RegionSpec } from '../core/spec/region.js';

/** Tells every webhook that wants this kind and was not told yet, all at once: none waits for a slow one. */
export const notify: Activity<NotifyInput, NotifyOutcome> = (ports) => async (input, run) => {
  const spec = await ports.artifacts.getJson<RegionSpec>(input.specRef);
  const message = { id: input.id, body: bodyOf(ports, spec.name, input) };
  const wanted = (spec.notifications ?? []).flatMap((webhook, index) =>
    wants(webhook, input, index) ? [{ webhook, index }] : [],
  );
  const results = await Promise.all(
    wanted.map(async ({ webhook, index }) => {
      const result = await ports.notifications.send(webhook, message, run.signal);
      return { index, result, reason: `${nameOf(webhook, index)}: ${reasonOf(result)}` };
    }),
  );
  const ended = (kind: WebhookResult['kind']): typeof results => results.filter(({ result }) => result.kind === kind);
  const givenUp = ended('given-up').map(({ index, reason }) => ({ index, reason }));
  return {
    delivered: ended('delivered').map(({ index }) => index),
    problems: ended('failed').map(({ reason }) => reason),
    ...(givenUp.length === 0 ? {} : { givenUp }),
  };
};

function wants({ on }: NotificationSpec, { kind, delivered }: NotifyInput, index: number): boolean {
  return !delivered.includes(index) && (on === undefined || on.includes(kind));
}

function bodyOf(ports: Pick<Ports, 'notifications'>, region: string, input: NotifyInput): string {
  const { id, kind, at, title, detail, workflowId, planHash } = input;
  const ui = ports.notifications.pageOf(workflowId);
  const fields = { id, kind, region, at, title, detail, workflowId, planHash };
  return JSON.stringify({ ...fields, ...(ui === undefined ? {} : { ui }) });
}

function reasonOf(result: WebhookResult): string {
  return result.kind === 'delivered' ? 'told' : result.reason;
}

/** Chat services put their secret into the path of the address: the host is enough for a person. */
function nameOf({ url }: NotificationSpec, index: number): string {
  return `webhook ${index + 1} (${new URL(url).host})`;
}
