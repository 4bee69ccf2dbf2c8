import { EXIT } from '../config/exit-code.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { parseStreamId } from '../event/stream-id.ts';
import type { Explained, Explanation } from '../inspect/api.ts';
import { fieldsOf, refusalWords } from './answer.ts';
import { quoted, readArguments } from './arguments.ts';
import { bearer } from './bearer.ts';
import { configurationOf, urlHere } from './configuration.ts';
import { CommandFailure, misuse, type Subcommand } from './subcommand.ts';

const help = `Usage: signalbox explain EVENT --socket ID [options]
       signalbox explain EVENT --user ID [options]

Says whether an event was delivered to a socket, or to each socket of a user, when, and if not, why not. It asks the
admin listener of any server of the installation; each of its processes answers for the sockets that it has or had.

Arguments:
  EVENT            the id of the event, as publishing gave it: <ms>-<seq>

Options:
  --socket ID      a socket's id, as welcome gives it and the panel shows it
  --user ID        a user
  --channel NAME   the event's channel, where it is known: it is found faster, and in streams that share ids
  --json           print the whole answer as JSON
  --url URL        the admin listener (default: this machine, and the configured admin.port); with ?token=, as
                   development mode prints it, no --token is needed
  --token TOKEN    the admin token (default: the configured one)
  --config PATH    read this config file, as the server does
  --help           print this, and end
`;

const options = {
  socket: { type: 'string' },
  user: { type: 'string' },
  channel: { type: 'string' },
  json: { type: 'boolean' },
  url: { type: 'string' },
  token: { type: 'string' },
} as const;

const TIMEOUT_MS = 15_000;

export const explain: Subcommand = {
  help,
  async run(context) {
    const { values, positionals } = readArguments(context.argv, options);
    const [id, extra] = positionals;
    if (id === undefined) throw misuse('EVENT is missing; expected the id of an event');
    if (extra !== undefined) throw misuse(`Unknown argument ${quoted(extra)}; expected EVENT only`);
    if (parseStreamId(id) === undefined) throw misuse(`EVENT is ${quoted(id)}; expected <ms>-<seq>`);
    const { socket, user, channel } = values;
    if ((socket === undefined) === (user === undefined)) {
      throw misuse('Expected one of --socket and --user');
    }
    const configuration = configurationOf(context, values.config);
    const at = adminUrl(values.url, configuration);
    const token = values.token ?? at.token ?? ownToken(configuration);
    const asked = { event: id, socket, user, channel };
    for (const [name, value] of Object.entries(asked)) {
      if (value !== undefined) at.url.searchParams.set(name, value);
    }
    const explained = await ask(at.url, bearer('--token', token));
    if (values.json === true) context.stdout.write(`${JSON.stringify(explained)}\n`);
    else context.stdout.write(inWords(explained, asked));
    if (explained.unanswered.length > 0) {
      context.stderr.write(`not answered by ${explained.unanswered.join(', ')}\n`);
    }
  },
};

interface AdminUrl {
  readonly url: URL;
  readonly token: string | undefined;
}

function adminUrl(text: string | undefined, configuration: () => LoadedConfig): AdminUrl {
  if (text === undefined) return { url: ownUrl(configuration()), token: undefined };
  const given = URL.canParse(text) ? new URL(text) : undefined;
  if (
    given === undefined ||
    !/^https?:$/.test(given.protocol) ||
    `${given.username}${given.password}` !== ''
  ) {
    // It may hold a token.
    throw misuse('--url is none; expected that of an admin listener, such as http://127.0.0.1:8090/');
  }
  const url = new URL('/inspect/explain', given);
  return { url, token: given.searchParams.get('token') ?? undefined };
}

function ownUrl({ config }: LoadedConfig): URL {
  const { host, port } = config.admin;
  if (port === 0) {
    throw misuse('admin.port is 0, which is any free one; expected --url, as the server has printed it');
  }
  return new URL('/inspect/explain', urlHere(host, port));
}

function ownToken(configuration: () => LoadedConfig): string {
  const { mode, config } = configuration();
  if (mode === 'production' && config.admin.token !== '') return config.admin.token;
  throw new CommandFailure(
    EXIT.config,
    'There is no admin token here; expected --token, or admin.token in the configuration',
  );
}

async function ask(url: URL, authorization: string): Promise<Explained> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      headers: { authorization },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as { code?: unknown; message?: unknown };
    const why = typeof code === 'string' ? code : String(message);
    throw new CommandFailure(
      EXIT.failed,
      `There is no answer from ${url.origin} (${why}); expected a server with admin.enabled there`,
    );
  }
  const body = fieldsOf(text);
  if (response.ok && Array.isArray(body['answers'])) return body as unknown as Explained;
  const isRefusal = typeof body['detail'] === 'string';
  const words = isRefusal ? refusalWords(body) : 'expected the admin listener of a Signalbox there';
  throw new CommandFailure(EXIT.failed, `${url.origin} answered ${response.status}: ${words}`);
}

function inWords(
  { event, answers }: Explained,
  { socket, user }: { readonly socket?: string | undefined; readonly user?: string | undefined },
): string {
  const where =
    event.channels === undefined ? 'is in no log and no window' : `of ${event.channels.join(', ')}`;
  const lines = [`event ${event.id} ${where}`];
  if (answers.length === 0) {
    const who = socket === undefined ? `user ${user} has` : `socket ${socket} is on`;
    lines.push(
      socket === undefined
        ? `${who} no socket, and had none that is remembered`
        : `${who} no process, and none remembers it`,
    );
  }
  for (const explanation of answers) lines.push(...linesOf(explanation));
  return `${lines.join('\n')}\n`;
}

function linesOf({ socket, user, instance, verdict, sentence, evidence }: Explanation): string[] {
  const whose = user === undefined ? '' : ` of ${user}`;
  const at = (atMs: number): string => new Date(atMs).toISOString();
  return [
    '',
    `socket ${socket}${whose} on ${instance}`,
    `  ${verdict.kind.replaceAll('_', ' ')}: ${sentence}`,
    ...evidence.map(({ atMs, text }) => `    ${at(atMs)}  ${text}`),
  ];
}
