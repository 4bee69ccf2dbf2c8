import type { OpenSocket } from '../actors/open-socket.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { TokenHolder } from '../protocol/native/sessions.ts';

/** The socket of a route that was let in by a token. */
export class RouteReader implements TokenHolder {
  readonly principal: NativePrincipal;
  readonly #socket: Pick<OpenSocket, 'id' | 'close'>;
  /** Native ones: those of Pub/Sub may have the same names and are others. */
  readonly #channels: readonly string[];
  #hasEnded = false;

  constructor(
    socket: Pick<OpenSocket, 'id' | 'close'>,
    principal: NativePrincipal,
    nativeChannels: readonly string[],
  ) {
    this.#socket = socket;
    this.principal = principal;
    this.#channels = nativeChannels;
  }

  get id(): string {
    return this.#socket.id;
  }

  isSubscribed(channel: string): boolean {
    return this.#channels.includes(channel);
  }

  end(word?: string): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#socket.close('ended', word);
    return true;
  }
}
