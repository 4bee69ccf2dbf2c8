/** Who a socket is. */
export interface Principal {
  /** The token's subject; absent where the token names nobody. */
  readonly user?: string;
  /** What it hears. The first one is its own: the one that limits are counted on. Never empty. */
  readonly channels: readonly string[];
  /** When its token expires, ms since 1970; absent: it does not. */
  readonly expiresAtMs?: number;
}
