import { z } from 'zod';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { isChannel, isPrincipalId, topicFault } from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/target.ts';

/** What instances say to each other. Whoever is told is said in `target`, by whom in `from`. */
export type ControlMessage =
  | {
      readonly kind: 'tell';
      readonly from: string;
      readonly target: Target;
      readonly topic: string;
      readonly data?: RawJson | undefined;
    }
  | {
      readonly kind: 'end';
      readonly from: string;
      /** What `ended` is to name. */
      readonly id: string;
      readonly target: Target;
      /** What the clients are told. */
      readonly word?: string | undefined;
      /** Tokens of the target that were issued at or before this are refused from now on, ms since 1970. */
      readonly revokedAtMs?: number | undefined;
    }
  | {
      readonly kind: 'ended';
      readonly from: string;
      readonly id: string;
      /** How many sockets it had. */
      readonly closed: number;
    }
  | {
      /** The broker had forgotten whose tokens are revoked, and knows again: who read meanwhile reads again. */
      readonly kind: 'restored';
      readonly from: string;
    };

/**
 * Goes up when a message that is known to all would be understood wrongly by those before; what is only added needs no
 * other number. Instances of two versions serve side by side while an installation is replaced.
 */
const VERSION = 1;

const MAX_NAME_LENGTH = 200;
/**
 * Bytes of what is told. Some ten thousand messages are kept for instances that are reconnecting: what is larger is
 * published, and there it is kept by its age.
 */
export const MAX_TOLD_BYTES = 65_536;
/** What a close frame has room for. */
export const MAX_WORD_BYTES = 123;
const CONTROL_OR_SURROGATE = /[\p{Control}\p{Surrogate}]/u;

/** Whether this can be told with a close code. */
export function isWord(text: string): boolean {
  return text !== '' && !CONTROL_OR_SURROGATE.test(text) && Buffer.byteLength(text) <= MAX_WORD_BYTES;
}

/** Whether a socket, or an instance, may be called this. */
export const isName = (text: string): boolean => text !== '' && text.length <= MAX_NAME_LENGTH;
const name = z.string().refine(isName);
const principalId = z.string().refine(isPrincipalId);
const target: z.ZodType<Target> = z.union([
  z.strictObject({ user: principalId }),
  z.strictObject({ session: principalId }),
  z.strictObject({ socket: name }),
  z.strictObject({ channel: z.string().refine(isChannel) }),
  z.strictObject({ everyone: z.literal(true) }),
]);
/** It is spliced into frames as it is. */
const rawJson = z.string().refine((text): text is RawJson => isJson(text));

const message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tell'),
    from: name,
    target,
    topic: z.string().refine((topic) => topicFault(topic) === undefined),
    data: rawJson.optional(),
  }),
  z.object({
    kind: z.literal('end'),
    from: name,
    id: name,
    target,
    word: z.string().refine(isWord).optional(),
    revokedAtMs: z.number().min(0).optional(),
  }),
  z.object({ kind: z.literal('ended'), from: name, id: name, closed: z.int().min(0) }),
  z.object({ kind: z.literal('restored'), from: name }),
]);

const KINDS: ReadonlySet<unknown> = new Set([
  'tell',
  'end',
  'ended',
  'restored',
] satisfies ControlMessage['kind'][]);
const envelope = z.object({ version: z.number(), kind: z.unknown() });

/** As it is sent. */
export function encodeControlMessage(said: ControlMessage): unknown {
  return { version: VERSION, ...said };
}

/** Reads what was sent. `unknown`: by a later version, and not for this one; `malformed`: by no version. */
export function decodeControlMessage(sent: unknown): ControlMessage | 'unknown' | 'malformed' {
  const opened = envelope.safeParse(sent);
  if (!opened.success) return 'malformed';
  if (opened.data.version !== VERSION || !KINDS.has(opened.data.kind)) return 'unknown';
  const read = message.safeParse(sent);
  return read.success ? read.data : 'malformed';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
