import * as Either from 'fp-ts/lib/Either.js';
import { readJson } from '../json-members.ts';
import { memberText } from '../json-text.ts';
import { CLIENT_FIELDS, type FieldRule, isRef } from './client-fields.ts';
import type { ClientFrame } from './client-frame.ts';
import { type ProtocolError, protocolError, type Ref } from './error-codes.ts';
import { isReservedChannel } from './names.ts';

type Members = Readonly<Record<string, unknown>>;

const TYPES: ReadonlyMap<unknown, Readonly<Record<string, FieldRule>>> = new Map(
  Object.entries(CLIENT_FIELDS),
);
const TYPE_NAMES = Object.keys(CLIENT_FIELDS).join(', ');
const MAX_QUOTED_CHARACTERS = 60;

/**
 * Reads what a client sent; never throws. Unknown fields are ignored, unknown types are not. What is the
 * application's (`data`, `query`) is the text that came, byte for byte.
 */
export function decodeClientFrame(text: string): Either.Either<ProtocolError, ClientFrame> {
  const parsed = Either.tryCatch(
    () => JSON.parse(text) as unknown,
    () => protocolError('bad_request', undefined, brokenWords(text)),
  );
  return Either.isLeft(parsed) ? parsed : frameOf(parsed.right, text);
}

function frameOf(value: unknown, text: string): Either.Either<ProtocolError, ClientFrame> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const words = `The frame is ${quoted(value)}; expected a JSON object with a type: one of ${TYPE_NAMES}.`;
    return Either.left(protocolError('bad_request', undefined, words));
  }
  const members = value as Members;
  const ref = isRef(members['ref']) ? (members['ref'] as Ref) : undefined;
  const type = own(members, 'type');
  if (typeof type !== 'string') {
    const words = `type is ${quoted(type)}; expected one of ${TYPE_NAMES}.`;
    return Either.left(protocolError('bad_request', ref, words));
  }
  const fields = TYPES.get(type);
  if (fields === undefined) {
    const words = `The type ${quoted(type)} is not known here; expected one of ${TYPE_NAMES}. A newer server may know it.`;
    return Either.left(protocolError('unknown_type', ref, words));
  }
  const problem = problemOf(type, fields, members);
  if (problem !== undefined) return Either.left(protocolError('bad_request', ref, problem));
  const channel = own(members, 'channel');
  if ('channel' in fields && isReservedChannel(channel as string)) {
    const words = `${type}: ${quoted(channel)} is a channel of one user or session. The server subscribes it after hello; no client names it.`;
    return Either.left(protocolError('forbidden', ref, words));
  }
  return Either.right(built(type, fields, members, text));
}

/** The first field that is not as it should be, in words. */
function problemOf(
  type: string,
  fields: Readonly<Record<string, FieldRule>>,
  members: Members,
): string | undefined {
  for (const [name, rule] of Object.entries(fields)) {
    const value = own(members, name);
    if (value === undefined ? rule.optional === true : rule.accepts(value)) continue;
    const came = rule.secret === true && value !== undefined ? 'something else' : quoted(value);
    return `${type}: ${name} is ${came}; expected ${rule.expected}. Correct it and send the frame again.`;
  }
  return undefined;
}

function built(
  type: string,
  fields: Readonly<Record<string, FieldRule>>,
  members: Members,
  text: string,
): ClientFrame {
  const frame: Record<string, unknown> = { type };
  let bytes: Buffer | undefined;
  for (const [name, rule] of Object.entries(fields)) {
    const value = own(members, name);
    if (value === undefined) continue;
    if (rule.raw === true) {
      // Eight times as fast for a large frame as a reader that checks what JSON.parse has checked.
      bytes ??= Buffer.from(text);
      frame[name] = memberText(bytes, name)?.toString();
    } else frame[name] = rule.read === undefined ? value : rule.read(value);
  }
  // Every field was checked by the table, whose keys and rules are those of the type.
  return frame as unknown as ClientFrame;
}

function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function brokenWords(text: string): string {
  const read = readJson(text);
  const where =
    !read.ok && read.position < text.length ? `at position ${read.position}` : 'where it ends, too early';
  return `The frame is not JSON: it is broken ${where}. Expected one JSON object in each text frame.`;
}

/** What came, short enough for a message. */
function quoted(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string' || value.length <= MAX_QUOTED_CHARACTERS) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, MAX_QUOTED_CHARACTERS))}… (${value.length} characters)`;
}
