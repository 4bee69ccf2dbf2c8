import { SignalboxError } from './error.ts';
import { type Fetch, host } from './host.ts';

type Secret = () => string | Promise<string>;

export interface CredentialOptions {
  /**
   * Gives the token of the user: before each connection, where it is exchanged for a ticket, and before it expires,
   * where the connection goes on with the new one. Left out, with `ticket` too: a cookie says who it is.
   */
  readonly token?: Secret;
  /** Gives a ticket, good once, before each connection: instead of the exchange. */
  readonly ticket?: Secret;
  /** Where a token is exchanged; left out: `ticket` below the path of the connection's URL. */
  readonly ticketUrl?: string;
  readonly fetch?: Fetch;
}

/** What a connection offers as its sub-protocols; undefined: there is nothing to be asked for. */
export function protocolsOf(url: string, options: CredentialOptions): Promise<string[]> | undefined {
  const { ticket, token } = options;
  if (ticket === undefined && token === undefined) return undefined;
  return (async () => {
    const text = ticket === undefined ? await exchange(url, options) : await ticket();
    return ['signalbox.v1', `signalbox.ticket.${text}`];
  })();
}

/** A ticket for a token. */
export async function exchange(url: string, { token, ticketUrl, fetch }: CredentialOptions): Promise<string> {
  // `wss://host/path/?query` is asked at `https://host/path/ticket`.
  const at = ticketUrl ?? url.replace(/^ws/, 'http').replace(/\/?(?:[?#].*)?$/, '/ticket');
  const request = { method: 'POST', headers: { authorization: `Bearer ${await token?.()}` } };
  const answer = await (fetch ?? ((...asked) => (host.fetch as Fetch)(...asked)))(at, request);
  if (!answer.ok) throw new SignalboxError('unauthorized', `no ticket from ${at}: status ${answer.status}`);
  return ((await answer.json()) as { ticket: string }).ticket;
}
