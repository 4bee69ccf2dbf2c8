import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Revocation } from '../broker/ports.ts';

export interface RevokedTokensOptions {
  readonly now: () => number;
  /** `native.maxTokenLifeSeconds`: no token outlives a revocation that is this old. */
  readonly maxTokenLifeMs: number;
}

/** Up to when tokens are refused, by id, about in the order of these times: what is forgotten first comes first. */
type Times = Map<string, number>;

/** Whose tokens are refused, as far as this process knows: looked up wherever a token is taken. */
export class RevokedTokens {
  readonly #options: RevokedTokensOptions;
  // Numbers and not revocations: whoever signs its users out has hundreds of thousands of them.
  readonly #times: Readonly<Record<Revocation['of'], Times>> = { user: new Map(), session: new Map() };

  constructor(options: RevokedTokensOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#times.user.size + this.#times.session.size;
  }

  /** The later one of two counts, whichever comes first. */
  add({ of, id, atMs }: Revocation): void {
    const times = this.#times[of];
    if (isAtOrBefore(times, id, atMs)) return;
    times.delete(id);
    times.set(id, atMs);
    this.#forget(times);
  }

  has({ user, session, issuedAtMs }: Pick<NativePrincipal, 'user' | 'session' | 'issuedAtMs'>): boolean {
    return (
      isAtOrBefore(this.#times.user, user, issuedAtMs) ||
      (session !== undefined && isAtOrBefore(this.#times.session, session, issuedAtMs))
    );
  }

  /** Whether it, or a later one of the same, was added. */
  includes({ of, id, atMs }: Revocation): boolean {
    return isAtOrBefore(this.#times[of], id, atMs);
  }

  all(): readonly Revocation[] {
    return (['user', 'session'] as const).flatMap((of) => {
      this.#forget(this.#times[of]);
      return Array.from(this.#times[of], ([id, atMs]) => ({ of, id, atMs }));
    });
  }

  #forget(times: Times): void {
    const oldestMs = this.#options.now() - this.#options.maxTokenLifeMs;
    for (const [id, atMs] of times) {
      if (atMs > oldestMs) return;
      times.delete(id);
    }
  }
}

/** Whether a time is covered by what was added of this id. */
function isAtOrBefore(times: Times, id: string, timeMs: number): boolean {
  const atMs = times.get(id);
  return atMs !== undefined && timeMs <= atMs;
}
