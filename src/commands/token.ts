import { isPattern, isPrincipalId, isReservedChannel, PATTERN_FORM } from '../protocol/native/names.ts';
import { checked, quoted, readArguments, type ValueRule } from './arguments.ts';
import { configurationOf } from './configuration.ts';
import { signToken } from './signing.ts';
import { misuse, type Subcommand } from './subcommand.ts';

const help = `Usage: signalbox token --user ID [options]

Signs a token of the native protocol with the configured jwtSecret, and prints it and nothing else.

Options:
  --user ID            whose it is (claim sub); its own channel, user:ID, needs no --channel
  --session ID         and of which session of theirs (claim sid)
  --channel PATTERN    what it may subscribe: a name, or the beginning of one and *. Any number of these
  --publish PATTERN    where it may publish, likewise
  --expires DURATION   after how long it ends: 90s, 15m, 12h, 7d (default: 1h)
  --config PATH        read this config file, as the server does
  --help               print this, and end
`;

const options = {
  user: { type: 'string' },
  session: { type: 'string' },
  channel: { type: 'string', multiple: true },
  publish: { type: 'string', multiple: true },
  expires: { type: 'string' },
} as const;

/** The id of a user or a session. */
export const principalId: ValueRule = {
  expected: '1 to 128 bytes without control characters',
  accepts: isPrincipalId,
};

const pattern: ValueRule = {
  expected: `${PATTERN_FORM}. user: and session: are no part of it: who has the id has the channel`,
  accepts: (value) => isPattern(value) && !isReservedChannel(value),
};

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DEFAULT_EXPIRY = '1h';

/** `15m` in seconds. Throws when it is not one. */
const secondsOf = (text: string): number => {
  const [, digits = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? 0);
  if (seconds > 0 && Number.isSafeInteger(seconds * 1000)) return seconds;
  throw misuse(`--expires is ${quoted(text)}; expected a number and s, m, h or d, such as 15m or 12h`);
};

export const token: Subcommand = {
  help,
  async run(context) {
    const { values, positionals } = readArguments(context.argv, options);
    if (positionals[0] !== undefined) throw misuse(`Unknown argument ${quoted(positionals[0])}`);
    if (values.user === undefined) throw misuse('--user is missing; expected whose token it is');
    const claims = {
      user: checked('--user', values.user, principalId),
      session: values.session === undefined ? undefined : checked('--session', values.session, principalId),
      channels: (values.channel ?? []).map((name) => checked('--channel', name, pattern)),
      publish: (values.publish ?? []).map((name) => checked('--publish', name, pattern)),
      lifeSeconds: secondsOf(values.expires ?? DEFAULT_EXPIRY),
    };
    const loaded = configurationOf(context, values.config)();
    const { maxTokenLifeSeconds } = loaded.config.native;
    if (claims.lifeSeconds > maxTokenLifeSeconds) {
      throw misuse(
        `--expires is ${quoted(values.expires ?? DEFAULT_EXPIRY)}; expected at most native.maxTokenLifeSeconds, ${maxTokenLifeSeconds}s`,
      );
    }
    context.stdout.write(`${signToken(loaded, claims, context.now())}\n`);
  },
};
