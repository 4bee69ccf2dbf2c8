import type { Readable } from 'node:stream';
import { EXIT } from '../config/exit-code.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { readJson } from '../protocol/json-members.ts';
import { CLIENT_FIELDS } from '../protocol/native/client-fields.ts';
import { CHANNEL_FORM, isChannel, isReservedChannel } from '../protocol/native/names.ts';
import { fieldsOf, refusalWords } from './answer.ts';
import { checked, checkedIfGiven, quoted, readArguments, type ValueRule } from './arguments.ts';
import { bearer } from './bearer.ts';
import { configurationOf, serverUrl } from './configuration.ts';
import { canSign, signToken } from './signing.ts';
import { readWhole } from './stdin.ts';
import { CommandFailure, misuse, type Subcommand } from './subcommand.ts';

const help = `Usage: signalbox publish CHANNEL [DATA | -] [options]

Publishes an event by POST /publish, and prints its id once the broker has it.

Arguments:
  CHANNEL         where to. user:ID and session:ID are there for those who have an API key
  DATA            any JSON, such as '{"n":1}', '"text"' or 5; -: read it from stdin. Left out: null

Options:
  --topic TOPIC   the event's topic (default: message)
  --key KEY       publish once, however often this is repeated with the same key
  --snapshot      keep it as the channel's snapshot too, which new subscriptions begin with
  --url URL       the server (default: this machine, and the configured port)
  --api-key KEY   what to publish with (default: the first of the configured apiKeys, else a token signed with
                  the jwtSecret; in development mode none is needed)
  --config PATH   read this config file, as the server does
  --help          print this, and end
`;

const options = {
  topic: { type: 'string' },
  key: { type: 'string' },
  snapshot: { type: 'boolean' },
  url: { type: 'string' },
  'api-key': { type: 'string' },
} as const;

const channelRule: ValueRule = {
  expected: `${CHANNEL_FORM}, neither full nor starting with _`,
  accepts: (value) => typeof value === 'string' && isChannel(value),
};

const TIMEOUT_MS = 30_000;
/** Only as long as the request takes. */
const TOKEN_SECONDS = 60;
/** Whom a token is of that is signed here. */
const USER = 'signalbox-publish';

export const publish: Subcommand = {
  help,
  async run(context) {
    const { values, positionals } = readArguments(context.argv, options);
    const [name, text, extra] = positionals;
    if (name === undefined) throw misuse('CHANNEL is missing; expected where to publish');
    if (extra !== undefined)
      throw misuse(`Unknown argument ${quoted(extra)}; expected CHANNEL and DATA only`);
    const { topic, key } = CLIENT_FIELDS.publish;
    const event = {
      channel: checked('CHANNEL', name, channelRule),
      topic: checkedIfGiven('--topic', values.topic, topic),
      key: checkedIfGiven('--key', values.key, key),
      snapshot: values.snapshot,
    };
    const configuration = configurationOf(context, values.config);
    const url = new URL('publish', withSlash(serverUrl(values.url, configuration)));
    const credential =
      values['api-key'] === undefined
        ? ownCredential(configuration(), event.channel, context.now())
        : bearer('--api-key', values['api-key']);
    const data = await dataOf(text, context.stdin);
    context.stdout.write(`${await send(url, credential, bodyOf(event, data))}\n`);
  },
};

/** With `data` as it was written: numbers beyond 2^53 survive. */
const bodyOf = (event: object, data: string): string => {
  const fields = JSON.stringify(event).slice(1, -1);
  return `{${fields},"data":${data}}`;
};

/** A path is what it all is below; without its slash the last part of it would be taken away. */
const withSlash = (url: URL): URL => (url.pathname.endsWith('/') ? url : new URL(`${url.href}/`));

/** What the configuration publishes with. Undefined: nothing, as in development mode. */
const ownCredential = (loaded: LoadedConfig, channel: string, nowMs: number): string | undefined => {
  const [first] = loaded.config.apiKeys;
  if (first !== undefined) return bearer('The first of apiKeys', first);
  if (loaded.mode === 'development') return undefined;
  if (isReservedChannel(channel) || !canSign(loaded)) {
    throw new CommandFailure(
      EXIT.config,
      `There is no API key, and no token can be signed here that may publish to ${channel}; expected --api-key, or apiKeys in the configuration`,
    );
  }
  return bearer('', signToken(loaded, { user: USER, publish: [channel], lifeSeconds: TOKEN_SECONDS }, nowMs));
};

const dataOf = async (text: string | undefined, stdin: Readable): Promise<string> => {
  const data = text === '-' ? await readWhole(stdin) : (text ?? 'null');
  const read = readJson(data);
  if (read.ok) return data;
  const came = text === '-' ? 'What came from stdin' : `DATA, ${quoted(data)},`;
  const where = read.position < data.length ? `at position ${read.position}` : 'where it ends, too early';
  throw misuse(
    `${came} is not JSON: it is broken ${where}; expected JSON, in which a text has quotes: '"text"'`,
  );
};

/** Gives the id of the event. */
const send = async (url: URL, credential: string | undefined, body: string): Promise<string> => {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(credential !== undefined && { authorization: credential }),
      },
      body,
      // Whoever was given a key is not to pass it on.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    answer = await response.text();
  } catch (error) {
    throw new CommandFailure(EXIT.failed, unreachable(url, error));
  }
  const fields = fieldsOf(answer);
  if (response.status === 201 && typeof fields['id'] === 'string') return fields['id'];
  throw new CommandFailure(EXIT.failed, refusal(url, response, fields, credential !== undefined));
};

/** Nothing has been sent yet. */
const NOT_REACHED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const unreachable = (url: URL, error: unknown): string => {
  const { code, message } = ((error as Error).cause ?? error) as { code?: unknown; message?: unknown };
  if (NOT_REACHED.has(code)) {
    return `There is no server at ${url.origin} (${String(code)}); expected one there: start it, or say --url`;
  }
  return `There is no answer from ${url.href}: ${String(message)}. Whether it was published is not known: repeat it with the same --key`;
};

/** What the server said, in a line, and what to do about it where that is known here. */
const refusal = (
  url: URL,
  { status, statusText }: Response,
  fields: Readonly<Record<string, unknown>>,
  hadCredential: boolean,
): string => {
  const { code } = fields;
  if (typeof code !== 'string') {
    return `${url.href} answered ${status} ${statusText}; expected a Signalbox there, which answers 201`;
  }
  const words = [refusalWords(fields)];
  if (status === 401) {
    words.push(
      hadCredential
        ? 'This key or token is none of that server’s.'
        : 'None was sent, because none is configured here: say --api-key, or configure apiKeys.',
    );
  }
  return `The server refused it with ${status} ${code}: ${words.join(' ')}`;
};
