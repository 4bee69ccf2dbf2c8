import { setTimeout as pause } from 'node:timers/promises';
import { EXIT } from '../config/exit-code.ts';
import { parseStreamId } from '../event/stream-id.ts';
import { CLIENT_FIELDS } from '../protocol/native/client-fields.ts';
import { CLOSES, type CloseCode } from '../protocol/native/close-codes.ts';
import { isReservedChannel, userChannel } from '../protocol/native/names.ts';
import type { ServerFrame } from '../protocol/native/server-frame.ts';
import { checked, checkedIfGiven, quoted, readArguments } from './arguments.ts';
import { bearer } from './bearer.ts';
import { configurationOf, serverUrl } from './configuration.ts';
import { Conversation, type ConversationDeps, type End, type Position } from './conversation.ts';
import { signToken } from './signing.ts';
import { type CommandContext, CommandFailure, misuse, type Subcommand } from './subcommand.ts';
import { principalId } from './token.ts';

const help = `Usage: signalbox tail CHANNEL... [options]
       signalbox tail --user ID [CHANNEL...] [options]

Prints what is published to channels: each event, and each snapshot, as a line of JSON, which is the frame of the
native protocol. Gaps, and what happens to the connection, go to stderr. It comes back after a lost connection and
goes on where it was. It ends at SIGINT, SIGTERM, and when nobody reads its output.

Options:
  --user ID        hear this user's own channel too
  --last-id ID     begin after this event; left out: with the channel's snapshot, or with what comes
  --url URL        the server (default: this machine, and the configured port)
  --token TOKEN    what to connect with (default: one signed with the jwtSecret, again and again)
  --config PATH    read this config file, as the server does
  --help           print this, and end
`;

const options = {
  user: { type: 'string' },
  'last-id': { type: 'string' },
  url: { type: 'string' },
  token: { type: 'string' },
} as const;

/** Whom a token is of that is signed here, when nobody is named. */
const USER = 'signalbox-tail';
const TOKEN_SECONDS = 3600;
const BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

export const tail: Subcommand = {
  help,
  run(context) {
    const { values, positionals } = readArguments(context.argv, options);
    const { user, token } = values;
    const { channel, lastId } = CLIENT_FIELDS.subscribe;
    const channels = [...new Set(positionals.map((name) => checkedChannel(name)))];
    if (channels.length === 0 && user === undefined) {
      throw misuse('CHANNEL is missing; expected the channels to hear, or --user');
    }
    if (user !== undefined && token !== undefined) {
      throw misuse('--user and --token came both; expected one: a token says itself whose it is');
    }
    checkedIfGiven('--user', user, principalId);
    const from = parseStreamId(checkedIfGiven('--last-id', values['last-id'], lastId) ?? '');
    const configuration = configurationOf(context, values.config);
    const url = serverUrl(values.url, configuration);
    const own = user === undefined ? [] : [userChannel(user)];
    const positions = new Map<string, Position>();
    if (from !== undefined) for (const name of [...channels, ...own]) positions.set(name, { id: from });
    const signed = (): string => {
      const claims = { user: user ?? USER, channels, lifeSeconds: TOKEN_SECONDS };
      return signToken(configuration(), claims, context.now());
    };
    const credential = (): string => bearer('--token', token ?? signed());
    const unasked = user === undefined && token === undefined ? userChannel(USER) : undefined;
    return follow(context, { url, channels, positions, credential, unasked, renews: token === undefined });

    function checkedChannel(name: string): string {
      if (isReservedChannel(name)) {
        throw misuse(
          `CHANNEL is ${quoted(name)}, which the server subscribes by itself; expected --user ID, or a --token of theirs`,
        );
      }
      return channel === undefined ? name : checked('CHANNEL', name, channel);
    }
  },
};

interface Followed extends Pick<ConversationDeps, 'url' | 'channels' | 'positions'> {
  /** For each connection another one. */
  credential(): string;
  /** The own channel of a user that nobody has named: nobody publishes there, and nobody wants to hear of it. */
  readonly unasked: string | undefined;
  /** Whether the next one is as good as new. */
  readonly renews: boolean;
}

/** Connects, prints, and connects again until it is asked to end or told not to come back. */
async function follow(context: CommandContext, followed: Followed): Promise<void> {
  const { stdout, stderr } = context;
  const { url, unasked, renews } = followed;
  const tell = (line: string): void => void stderr.write(`${line}\n`);
  const ending = context.untilEnded();
  let wasEverWelcome = false;
  let failures = 0;
  while (!ending.aborted) {
    const conversation = new Conversation({
      ...followed,
      credential: followed.credential(),
      onJoined: (joined) =>
        tell(`following ${joined.filter((name) => name !== unasked).join(', ')} at ${url.href}`),
      onWait: (why) => tell(`waiting for ${why}`),
      onFrame: (frame, line) => print(frame, line),
    });
    const resume = (): void => conversation.resume();
    const close = (): void => conversation.close();
    stdout.on('drain', resume);
    ending.addEventListener('abort', close);
    const end = await conversation.ended;
    ending.removeEventListener('abort', close);
    stdout.off('drain', resume);
    if (ending.aborted) return;
    failures = end.wasWelcome ? 0 : failures + 1;
    wasEverWelcome ||= end.wasWelcome;
    const delayMs = delayAfter(end, { url, renews, wasEverWelcome, failures });
    tell(`connection lost (${words(end)}); again in ${(delayMs / 1000).toFixed(1)} s`);
    await pause(delayMs, undefined, { signal: ending }).catch(() => {});
  }

  /** False: whoever reads has enough for now. */
  function print(frame: ServerFrame, line: string): boolean {
    if (frame.type === 'event' || frame.type === 'snapshot' || frame.type === 'tell') {
      return stdout.write(`${line}\n`);
    }
    if (frame.type === 'gap' && frame.channel !== unasked) {
      const { channel, after, id, reason } = frame;
      tell(`gap in ${channel}: what came after ${after} is lost; it goes on after ${id} (${reason})`);
    }
    return true;
  }
}

interface Situation {
  readonly url: URL;
  readonly renews: boolean;
  readonly wasEverWelcome: boolean;
  readonly failures: number;
}

/** How long to wait before the next connection, in ms. Throws when there is to be none. */
function delayAfter(end: End, { url, renews, wasEverWelcome, failures }: Situation): number {
  const { refusal, fault, wasWelcome, after } = end;
  const failed = (message: string) => new CommandFailure(EXIT.failed, message);
  if (refusal !== undefined) throw failed(`The server refused ${refusal}`);
  // Who has never been there is told of a wrong address, and not left waiting.
  if (fault !== undefined && !wasEverWelcome) {
    throw failed(
      `There is no signalbox.v1 at ${url.href}: ${fault}; expected a server there: start it, or say --url`,
    );
  }
  const { reconnect } = CLOSES[end.code as CloseCode] ?? CLOSES[1006];
  if (reconnect === 'never') throw failed(`The server ended the connection: ${words(end)}`);
  if (reconnect === 'token' && !(renews && wasWelcome))
    throw failed(`The server refused the token: ${words(end)}`);
  // Never at once: a server that takes and drops everybody would be asked without a pause.
  const backoffMs =
    Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** Math.max(0, failures - 1)) * (0.5 + Math.random() / 2);
  if (reconnect === 'jitter') return after ?? backoffMs;
  return backoffMs + (after ?? 0);
}

function words({ code, reason, fault }: End): string {
  if (fault !== undefined) return fault;
  // No code came: nobody said goodbye.
  if (code === 1006) return 'it was cut';
  const known = CLOSES[code as CloseCode];
  return `${`${code} ${reason}`.trim()}${known === undefined ? '' : `: ${known.sentence}`}`;
}
