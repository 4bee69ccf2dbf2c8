import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Revocation } from '../broker/ports.ts';

export interface RevokedTokensOptions {
  readonly now: () => number;
  /** `native.maxTokenLifeSeconds`: no token outlives a revocation that is this old. */
  readonly maxTokenLifeMs: number;
}

/** Whose tokens are refused, as far as this process knows: looked up wherever a token is taken. */
export class RevokedTokens {
  readonly #options: RevokedTokensOptions;
  /** By user and by session, about in the order of their times: what is forgotten first comes first. */
  readonly #revocations = new Map<string, Revocation>();

  constructor(options: RevokedTokensOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#revocations.size;
  }

  /** The later one of two counts, whichever comes first. */
  add(revocation: Revocation): void {
    const key = keyOf(revocation.of, revocation.id);
    const known = this.#revocations.get(key);
    if (known !== undefined && known.atMs >= revocation.atMs) return;
    this.#revocations.delete(key);
    this.#revocations.set(key, revocation);
    this.#forget();
  }

  has({ user, session, issuedAtMs }: Pick<NativePrincipal, 'user' | 'session' | 'issuedAtMs'>): boolean {
    return (
      this.#isAfter('user', user, issuedAtMs) ||
      (session !== undefined && this.#isAfter('session', session, issuedAtMs))
    );
  }

  /** Whether it, or a later one of the same, was added. */
  includes({ of, id, atMs }: Revocation): boolean {
    return this.#isAfter(of, id, atMs);
  }

  all(): readonly Revocation[] {
    this.#forget();
    return [...this.#revocations.values()];
  }

  #isAfter(of: Revocation['of'], id: string, issuedAtMs: number): boolean {
    const revocation = this.#revocations.get(keyOf(of, id));
    return revocation !== undefined && issuedAtMs <= revocation.atMs;
  }

  #forget(): void {
    const oldestMs = this.#options.now() - this.#options.maxTokenLifeMs;
    for (const [key, { atMs }] of this.#revocations) {
      if (atMs > oldestMs) return;
      this.#revocations.delete(key);
    }
  }
}

const keyOf = (of: Revocation['of'], id: string): string => `${of}:${id}`;
