import type { NativeSession } from './session.ts';
import type { Target } from './target.ts';

/** The native sockets of this process, by who they are. */
export class Sessions {
  readonly #bySocket = new Map<string, NativeSession>();
  readonly #byUser = new Map<string, Set<NativeSession>>();

  get size(): number {
    return this.#bySocket.size;
  }

  add(session: NativeSession): void {
    const { user } = session.principal;
    this.#bySocket.set(session.id, session);
    const others = this.#byUser.get(user);
    if (others === undefined) this.#byUser.set(user, new Set([session]));
    else others.add(session);
  }

  remove(session: NativeSession): void {
    const { user } = session.principal;
    this.#bySocket.delete(session.id);
    const others = this.#byUser.get(user);
    others?.delete(session);
    if (others?.size === 0) this.#byUser.delete(user);
  }

  /** A list: what is done with them may change which there are. */
  of(target: Target): readonly NativeSession[] {
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
