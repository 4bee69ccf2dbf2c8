import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import type { HeapClock } from '../support/heap-clock.ts';
import { principal } from '../support/native-auth.ts';
import type { Instance } from './instance.ts';

/** How long after a failure whoever signs a user out does it again. */
const AGAIN_MS = 200;

interface Revoked {
  /** The end was known to have succeeded for tokens up to then. */
  readonly atMs: number;
  readonly knownAtMs: number;
}

/** The tokens of users, and which of them must not be taken any more. */
export class Credentials {
  readonly #clock: HeapClock;
  readonly #issuedAtMs = new Map<string, number>();
  readonly #revoked = new Map<string, Revoked>();
  /** Ends that are still tried. */
  pending = 0;

  constructor(clock: HeapClock) {
    this.#clock = clock;
  }

  /** The newest token of a user. */
  of(user: string): NativePrincipal {
    const issuedAtMs = this.#issuedAtMs.get(user) ?? 0;
    return { user, channels: ['*'], publish: ['*'], issuedAtMs, expiresAtMs: principal.expiresAtMs };
  }

  signIn(user: string): void {
    this.#issuedAtMs.set(user, this.#clock.now());
  }

  /** Ends all of a user's sockets, asking one instance after another until one says that it was done. */
  async revoke(user: string, any: () => Instance | undefined): Promise<void> {
    this.pending += 1;
    for (;;) {
      const atMs = this.#clock.now();
      try {
        const instance = any();
        if (instance === undefined) throw new Error('nobody serves');
        await instance.instances.end({ user });
        if (instance.isKilled) throw new Error('it was killed meanwhile, and told nobody');
        const before = this.#revoked.get(user)?.atMs ?? 0;
        this.#revoked.set(user, { atMs: Math.max(atMs, before), knownAtMs: this.#clock.now() });
        this.pending -= 1;
        return;
      } catch {
        await new Promise<void>((resolve) => void this.#clock.setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** Whether this token was revoked for sure, and that was known at `untilMs`. */
  isRevoked({ user, issuedAtMs }: NativePrincipal, untilMs = Number.POSITIVE_INFINITY): boolean {
    const revoked = this.#revoked.get(user);
    return revoked !== undefined && issuedAtMs <= revoked.atMs && revoked.knownAtMs <= untilMs;
  }

  /** The newest tokens that are revoked. */
  revoked(): NativePrincipal[] {
    return Array.from(this.#revoked, ([user, { atMs }]) => ({ ...this.of(user), issuedAtMs: atMs }));
  }

  /** The broker lost its data before: what nobody remembers is no longer revoked. */
  forgetUnless(isKnown: (token: NativePrincipal) => boolean): void {
    for (const token of this.revoked()) if (!isKnown(token)) this.#revoked.delete(token.user);
  }
}
