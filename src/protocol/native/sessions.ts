import type { NativePrincipal } from '../../auth/native-principal.ts';
import type { RawJson } from './client-frame.ts';
import type { ClientPublication, PublishAnswer, Told } from './session.ts';
import type { Target } from './target.ts';

/** One client of the native protocol, however it is connected. */
export interface ClientSession {
  /** Of its socket. */
  readonly id: string;
  readonly principal: NativePrincipal;
  /** Those that it has, its own among them. */
  readonly channels: readonly string[];
  /** Whether it has this channel, be it one of its own. */
  isSubscribed(channel: string): boolean;
  /** Tells the client something, or says why not: it is best effort, and kept for nobody. */
  tell(topic: string, data: RawJson | undefined): Told;
  /** Publishes as this client; `isEchoed` false: not to this socket. */
  publish(publication: ClientPublication, isEchoed: boolean, settle: (answer: PublishAnswer) => void): void;
  /** Ends it, for good. False when it had ended before. */
  end(word?: string): boolean;
}

/** The native sockets of this process, by who they are. */
export class Sessions {
  readonly #bySocket = new Map<string, ClientSession>();
  readonly #byUser = new Map<string, Set<ClientSession>>();

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

  /** A list: what is done with them may change which there are. */
  of(target: Target): readonly ClientSession[] {
    if ('socket' in target) {
      const session = this.#bySocket.get(target.socket);
      return session === undefined ? [] : [session];
    }
    if ('user' in target) return [...(this.#byUser.get(target.user) ?? [])];
    const all = [...this.#bySocket.values()];
    if ('session' in target) return all.filter(({ principal }) => principal.session === target.session);
    if ('channel' in target) return all.filter((session) => session.isSubscribed(target.channel));
    return all;
  }
}
