import { parseArgs } from 'node:util';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';

export const help = `Usage: signalbox [start] [options]
       signalbox token | publish | tail | explain | replay ...

Events from Redis or the embedded broker in, WebSocket out.

Commands, each of which explains itself with --help:
  start      run the server; what is done when no command is named
  token      sign a token of the native protocol
  publish    publish an event
  tail       print the events of channels as they come
  explain    say why an event did or did not reach a client
  replay     run the recording of a connection again

Options:
  --config PATH    read this config file (default: SIGNALBOX_CONFIG, or config.json if there is one)
  --check          say whether the configuration is valid, and end
  --print-config   print every value and where it came from, secrets masked, and end
  --version        print the version, and end
  --help           print this, and end

Environment variables win over the config file; docs/configuration.md lists them all. With nothing
configured it starts in development mode, on the embedded broker, at http://127.0.0.1:8080/

Signals:
  SIGTERM, SIGINT  close the sockets within drainMs, then end; a second one ends at once

Exit codes:
  0   ended as asked        64  command line not understood
  1   failed, or cut short  78  problems in the configuration: all are printed, no port was opened
`;

/** What the command line asks for; `file` is the config file it names. */
export interface CommandLine {
  readonly action: 'serve' | 'check' | 'print-config' | 'version' | 'help';
  readonly file: string | undefined;
}

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      check: { type: 'boolean' },
      'print-config': { type: 'boolean' },
      version: { type: 'boolean', short: 'v' },
      help: { type: 'boolean', short: 'h' },
    },
  });

const attempt = (argv: readonly string[]): Either<string, ReturnType<typeof parse>> => {
  try {
    return right(parse(argv));
  } catch (error) {
    // Node's sentence goes on about how to pass such an argument all the same.
    return left((error instanceof Error ? error.message : String(error)).split(/\. |\n/)[0] ?? '');
  }
};

const interpret = ({ values, positionals }: ReturnType<typeof parse>): Either<string, CommandLine> => {
  // `start` is how the Superset sidecar was started.
  const extra = positionals[0] === 'start' ? positionals[1] : positionals[0];
  if (extra !== undefined)
    return left(
      `Unknown argument '${extra}'; expected start, token, publish, tail, explain or replay, first of all`,
    );
  if (values.config?.trim() === '') return left("Option '--config' names no file");
  const actions = ['help', 'version', 'check', 'print-config'] as const;
  return right({ action: actions.find((action) => values[action] === true) ?? 'serve', file: values.config });
};

/** Reads the arguments after the program's name. Left: what was not understood, in a sentence. */
export const readCommandLine = (argv: readonly string[]): Either<string, CommandLine> => {
  const parsed = attempt(argv);
  return isLeft(parsed) ? parsed : interpret(parsed.right);
};
