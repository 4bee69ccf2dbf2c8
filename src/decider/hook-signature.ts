import { createHmac } from 'node:crypto';

export interface HookMessage {
  /** The same in every attempt at the same request, so that a receiver can tell a repeat. */
  readonly id: string;
  /** Ms since 1970, of this attempt: receivers refuse what is old. */
  readonly nowMs: number;
  readonly body: Buffer;
}

/**
 * The headers that say who asks, as Standard Webhooks writes them. Signed with every key: while a secret is replaced,
 * receivers know one or the other.
 */
export function signHook(
  keys: readonly Buffer[],
  { id, nowMs, body }: HookMessage,
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(nowMs / 1000);
  const signatures = keys.map((key) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
