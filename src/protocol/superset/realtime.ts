import { payloadOf } from '../../event/entry.ts';
import { type EventCodec, isMalformed, MALFORMED, type Malformed, withHeadroom } from '../event-codec.ts';
import { type JsonText, memberText, readJsonObject } from '../json-text.ts';

/**
 * The channel that every authenticated socket is in. Routes come from outside, so one of this name is dropped:
 * nobody reaches everybody by asking for it.
 */
export const EVERYONE = '$everyone';

const BROADCAST_SCOPE = 'authenticated_global';

interface Envelope {
  readonly topic: string;
  readonly channels: string | readonly string[];
  readonly json: JsonText;
}

/**
 * The codec of Superset's realtime messages: in, `{"topic", "scope", "routes"?, "payload"?}`; out,
 * `{"topic", "payload"?}`. Routes never leave the server. The payload is cut out, not serialised again.
 */
export function createSupersetRealtime(options: { readonly onRepaired?: () => void } = {}): EventCodec {
  const { onRepaired } = options;

  return {
    payloadOf,

    channelsOf(payload) {
      const envelope = readEnvelope(payload);
      return isMalformed(envelope) ? envelope : envelope.channels;
    },

    // Not compared with `channels`: both methods read the same routes in the same way.
    encode(_id, _channels, payload, headroom) {
      const envelope = readEnvelope(payload);
      if (isMalformed(envelope)) return envelope;
      const { topic, json } = envelope;
      if (json.repaired) onRepaired?.();
      const front = `{"topic":${JSON.stringify(topic)}`;
      const inner = memberText(json.bytes, 'payload');
      if (inner === undefined) return withHeadroom(headroom, Buffer.from(`${front}}`));
      return withHeadroom(headroom, Buffer.from(`${front},"payload":`), inner, CLOSING_BRACE);
    },
  };
}

/** The codec with nobody listening for repairs. */
export const supersetRealtime: EventCodec = createSupersetRealtime();

const CLOSING_BRACE = Buffer.from('}');

function readEnvelope(payload: Buffer): Envelope | Malformed {
  const json = readJsonObject(payload);
  if (isMalformed(json)) return json;
  const { topic, scope, routes } = json.object;
  if (!isName(topic) || !isName(scope)) return MALFORMED.badEnvelope;
  if (routes !== undefined && !(Array.isArray(routes) && routes.every(isName))) return MALFORMED.badEnvelope;
  if (scope === BROADCAST_SCOPE) return { topic, channels: EVERYONE, json };
  const distinct = new Set<string>(routes);
  distinct.delete(EVERYONE);
  return { topic, channels: [...distinct], json };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
