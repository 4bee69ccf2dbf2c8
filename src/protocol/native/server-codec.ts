import type { RawJson } from './client-frame.ts';
import type { ServerFrame, ServerFrameType } from './server-frame.ts';

type FieldsOf<T extends ServerFrameType> = readonly Exclude<
  keyof Extract<ServerFrame, { type: T }>,
  'type'
>[];

/** Every frame of the server, and its fields in the order in which they are written. */
export const SERVER_FIELDS: { readonly [T in ServerFrameType]: FieldsOf<T> } = {
  welcome: ['ref', 'socket', 'user', 'session', 'pingInterval', 'expiresAt', 'subscriptions'],
  subscribed: ['ref', 'channel', 'id', 'epoch', 'recovered'],
  unsubscribed: ['ref', 'channel'],
  answer: ['ref', 'data'],
  told: ['ref'],
  published: ['ref', 'id'],
  refreshed: ['ref', 'expiresAt'],
  event: ['channel', 'topic', 'id', 'time', 'data'],
  snapshot: ['channel', 'id', 'data'],
  gap: ['channel', 'after', 'id', 'epoch', 'reason'],
  tell: ['topic', 'data'],
  ping: ['id'],
  error: ['ref', 'code', 'message', 'retryAfter'],
  reconnect: ['after', 'reason'],
};

/** The JSON text of a frame, `type` first; `data` is spliced as it is. */
export function encodeServerFrame(frame: ServerFrame): string {
  const values = frame as unknown as Readonly<Record<string, unknown>>;
  let text = `{"type":"${frame.type}"`;
  for (const name of SERVER_FIELDS[frame.type]) {
    const value = values[name];
    if (value === undefined) continue;
    text += `,"${name}":${name === 'data' ? (value as RawJson) : JSON.stringify(value)}`;
  }
  return `${text}}`;
}
