import { createHmac } from 'node:crypto';

/**
 * Value of the header `Psmg-Signature`: `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body", lower-case hex>`. The time is
 * signed with the body, so that a receiver can refuse what somebody recorded and sends again.
 */
export function signatureOf(secret: string, body: string, atSeconds: number): string {
  const digest = createHmac('sha256', secret).update(`${atSeconds}.${body}`, 'utf8').digest('hex');
  return `t=${atSeconds},v1=${digest}`;
}
