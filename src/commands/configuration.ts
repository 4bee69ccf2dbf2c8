import { isLeft } from 'fp-ts/lib/Either.js';
import { EXIT } from '../config/exit-code.ts';
import { load } from '../config/load.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { printProblems } from '../config/print.ts';
import { authority } from '../authority.ts';
import { quoted } from './arguments.ts';
import { CommandFailure, type CommandContext, misuse } from './subcommand.ts';

/**
 * The server's configuration, read when it is first asked for: who gives the URL and a token on the command line
 * needs none, valid or not. Throws when it has problems.
 */
export const configurationOf = (
  { cwd, env }: Pick<CommandContext, 'cwd' | 'env'>,
  file: string | undefined,
): (() => LoadedConfig) => {
  let loaded: LoadedConfig | undefined;
  return () => {
    if (loaded !== undefined) return loaded;
    if (file?.trim() === '') throw misuse("Option '--config' names no file");
    const result = load({ cwd, env, file });
    if (isLeft(result)) throw new CommandFailure(EXIT.config, printProblems(result.left).trimEnd());
    loaded = result.right;
    return loaded;
  };
};

const SCHEMES: Readonly<Record<string, 'http:' | 'https:'>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};

const URL_FORM = 'the URL of a server, such as http://127.0.0.1:8080/ or wss://example.com/';

/** Where the server is, with http or https: as the command line says, or the configured port on this machine. */
export const serverUrl = (text: string | undefined, configuration: () => LoadedConfig): URL => {
  if (text === undefined) return ownUrl(configuration());
  // Whoever writes a password into it does not want to see it again.
  const came = text.includes('@') ? 'something with a user or a password' : quoted(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = SCHEMES[url?.protocol ?? ''];
  if (url === undefined || scheme === undefined || url.username !== '' || url.password !== '') {
    throw misuse(`--url is ${came}; expected ${URL_FORM}`);
  }
  return new URL(`${scheme}//${url.host}${url.pathname}`);
};

const EVERYWHERE: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

const ownUrl = ({ config }: LoadedConfig): URL => {
  const { host, port } = config;
  if (port === 0)
    throw misuse('port is 0, which is any free one; expected --url, with the one that it became');
  return urlHere(host, port);
};

/** Where one that listens there is found from this machine. */
export const urlHere = (host: string, port: number): URL =>
  new URL(`http://${authority(EVERYWHERE.has(host) ? '127.0.0.1' : host, port)}/`);
