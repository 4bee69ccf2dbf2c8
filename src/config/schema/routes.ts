import { z } from 'zod';
import { key } from './key.ts';

/** What one field of a route says about itself. */
export interface FieldMeta {
  readonly description: string;
  /** In words, where the type alone does not say it. */
  readonly expected: string;
  /** It may hold a password. */
  readonly secret?: true;
}

const field = <S extends z.ZodType>(schema: S, meta: FieldMeta): S => schema.meta({ ...meta });

/** As RFC 9110 has the names of fields. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
/** What goes into a header of an answer. */
const headerValue = /^[\x21-\x7e](?:[\t\x20-\x7e]{0,998}[\x21-\x7e])?$/;
/** A name, or the beginning of one with * at its end. */
const pattern = /^(?!$)[^*]*\*?$/;

/** As in uWSGI. */
export const DEFAULT_BUFFER_BYTES = 4096;
const MOST_BUFFER_BYTES = 1_048_576;

const unixSocket = /^unix:(?:\/\/)?\/[^?#]+$/;

/** The target of a request becomes its path, so it has none of its own; a password would be printed. */
const isUpstream = (text: string): boolean => {
  if (text === '' || unixSocket.test(text)) return true;
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  const isBare = pathname === '/' && username + password + search + hash === '';
  return (protocol === 'http:' || protocol === 'https:') && isBare;
};

const source = z.enum(['pubsub', 'native']).default('pubsub');

/** One route, field by field in the order in which they are documented. */
export const routeSchema = z.strictObject({
  path: field(z.string().min(1), {
    expected: 'a regular expression that starts with ^/',
    description:
      "A regular expression that the path of a request matches from its beginning, as it was sent: RE2's syntax, so no look-around and no references to groups. Required.",
  }),
  channel: field(z.string().default(''), {
    expected: 'a channel, with $1 for what the path captures first',
    description:
      'The channel that is read; $1 stands for what the first group of path captures, $$ for a dollar. Required without upstream.',
  }),
  channels: field(z.array(z.string().regex(pattern)).default([]), {
    expected: 'a list of channels, or of beginnings of them with * at the end',
    description:
      'The only channels that this route gives. It, or auth, is required where channel is made from a capture.',
  }),
  source: field(source, {
    expected: 'pubsub or native',
    description: "pubsub: plain Redis Pub/Sub channels by their own names; native: Signalbox's own channels.",
  }),
  format: field(z.enum(['sse', 'raw']).default('sse'), {
    expected: 'sse or raw',
    description:
      'sse: each message is a Server-Sent Event, each of its lines a data: line; raw: the bytes of messages as they come. raw is for pubsub.',
  }),
  contentType: field(z.string().regex(headerValue).default('text/event-stream'), {
    expected: 'a media type',
    description: 'The Content-Type of the answer; anything but text/event-stream is for format raw.',
  }),
  redis: field(z.string().default(''), {
    expected: 'a URL that starts with redis://, rediss:// or unix://',
    secret: true,
    description:
      'Another Redis server for this route, of source pubsub: redis://, rediss:// (with the TLS files of redis.*) or unix://. Empty: the one of redis.*.',
  }),
  bufferSize: field(z.int().min(0).max(MOST_BUFFER_BYTES).default(DEFAULT_BUFFER_BYTES), {
    expected: `a whole number of bytes from 0 to ${MOST_BUFFER_BYTES}`,
    description: `How much of an upstream's body is sent before the stream, in bytes; 0 means ${DEFAULT_BUFFER_BYTES}, as it does in uWSGI. Messages may be of any size whatever it is.`,
  }),
  auth: field(z.literal('token').optional(), {
    expected: 'token, or nothing',
    description:
      'token: a token of the native protocol is needed, and must allow the channel. Left out: the route is public, or upstream governs it.',
  }),
  upstream: field(z.string().refine(isUpstream).default(''), {
    // One with a password is refused, and is not to be shown for that.
    secret: true,
    expected:
      'http://127.0.0.1:8000 or the like, without a path, a user or a password, or unix:/run/app.sock',
    description:
      'The application that is asked first, and names the channel: http://, https:// or unix:. Empty: none.',
  }),
  channelHeader: field(z.string().regex(headerName).default('X-SSE-Channel'), {
    expected: 'the name of a header',
    description: "The header of the upstream's answer that names the channel; clients do not see it.",
  }),
  collect: field(z.record(z.string().regex(headerName), z.string().regex(headerValue)).default({}), {
    expected: 'an object of names of headers and the values that they must have',
    description: "Headers that the upstream's answer must have, with these values, to become a stream.",
  }),
  grip: field(z.strictObject({ key: z.string().default(''), issuer: z.string().default('') }).optional(), {
    expected: 'an object with key and issuer, or an empty one',
    secret: true,
    description:
      "An object: the upstream's answer may name the channel by the headers of GRIP, too, as for Pushpin. With a key in it the upstream is sent Grip-Sig, signed with that, and with an issuer for its claim iss. Left out: these headers mean nothing.",
  }),
  pull: field(z.array(z.string().regex(headerName)).default([]), {
    expected: 'a list of names of headers',
    description: "Further headers of the upstream's answer that clients do not see.",
  }),
});

/** What is served at paths of one's own. */
export const routeKeys = {
  routes: key(z.array(routeSchema).default([]), {
    env: 'SIGNALBOX_ROUTES',
    expected: 'a list of routes, in a variable as JSON',
    description:
      'Streams of Server-Sent Events at paths of your own, as uWSGI serves them: objects of the fields below, of which the first whose path matches counts. In a variable it is JSON.',
  }),
};
