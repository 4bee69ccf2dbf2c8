/** Whose sockets are meant. */
export type Target =
  | { readonly user: string }
  | { readonly session: string }
  | { readonly socket: string }
  /** Those that have it now. */
  | { readonly channel: string }
  | { readonly everyone: true };
