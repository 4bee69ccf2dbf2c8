import type { NativePrincipal } from '../../auth/native-principal.ts';
import type { RawJson } from './client-frame.ts';
import type { ClientPublication, PublishAnswer, Told } from './session.ts';
import type { Target } from './target.ts';

/** Whoever is connected by a token, and ends when that is revoked. */
export interface TokenHolder {
  /** Of its socket. */
  readonly id: string;
  readonly principal: NativePrincipal;
  /** Whether it has this channel, be it one of its own. */
  isSubscribed(channel: string): boolean;
  /** Ends it, for good. False when it had ended before. */
  end(word?: string): boolean;
}

/** One client of the native protocol, however it is connected. */
export interface ClientSession extends TokenHolder {
  /** Those that it has, its own among them. */
  readonly channels: readonly string[];
  /** Tells the client something, or says why not: it is best effort, and kept for nobody. */
  tell(topic: string, data: RawJson | undefined): Told;
  /** Publishes as this client; `isEchoed` false: not to this socket. */
  publish(publication: ClientPublication, isEchoed: boolean, settle: (answer: PublishAnswer) => void): void;
}

/** The native sockets of this process, by who they are. */
export class Sessions {
  readonly #bySocket = new Map<string, ClientSession>();
  readonly #byUser = new Map<string, Set<ClientSession>>();
  /** Those of routes: they say nothing and are told nothing. */
  readonly #readers = new Set<TokenHolder>();

  get size(): number {
    return this.#bySocket.size;
  }

  add(session: ClientSession): void {
    const { user } = session.principal;
    this.#bySocket.set(session.id, session);
    const others = this.#byUser.get(user);
    if (others === undefined) this.#byUser.set(user, new Set([session]));
    else others.add(session);
  }

  remove(session: ClientSession): void {
    const { user } = session.principal;
    this.#bySocket.delete(session.id);
    const others = this.#byUser.get(user);
    others?.delete(session);
    if (others?.size === 0) this.#byUser.delete(user);
  }

  addReader(reader: TokenHolder): void {
    this.#readers.add(reader);
  }

  removeReader(reader: TokenHolder): void {
    this.#readers.delete(reader);
  }

  /** Whoever ends with a target: its sessions, and those that read a route by its tokens. */
  holdersOf(target: Target): readonly TokenHolder[] {
    return [...this.of(target), ...[...this.#readers].filter((reader) => isOf(reader, target))];
  }

  /** A list: what is done with them may change which there are. */
  of(target: Target): readonly ClientSession[] {
    if ('socket' in target) {
      const session = this.#bySocket.get(target.socket);
      return session === undefined ? [] : [session];
    }
    if ('user' in target) return [...(this.#byUser.get(target.user) ?? [])];
    return [...this.#bySocket.values()].filter((session) => isOf(session, target));
  }
}

function isOf(holder: TokenHolder, target: Target): boolean {
  if ('socket' in target) return holder.id === target.socket;
  if ('user' in target) return holder.principal.user === target.user;
  if ('session' in target) return holder.principal.session === target.session;
  if ('channel' in target) return holder.isSubscribed(target.channel);
  return true;
}
