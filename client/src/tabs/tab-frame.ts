export interface Hello {
  readonly ref: number;
  readonly positions?: Readonly<Record<string, string>>;
  readonly epoch?: string;
}

export interface Subscribe {
  readonly ref: number;
  readonly channel: string;
  readonly query?: unknown;
  readonly lastId?: string;
  readonly epoch?: string;
}

/** What a tab says to the one that leads: what it would say to the server. */
export type TabFrame =
  | ({ readonly type: 'hello' } & Hello)
  | ({ readonly type: 'subscribe' } & Subscribe)
  | { readonly type: 'unsubscribe'; readonly ref: number; readonly channel: string }
  | { readonly type: 'ask' | 'tell'; readonly ref: number; readonly topic: string; readonly data?: unknown }
  | {
      readonly type: 'publish';
      readonly ref: number;
      readonly channel: string;
      readonly topic: string;
      readonly data: unknown;
      readonly key: string;
      readonly echo?: boolean;
    }
  | { readonly type: 'pong' };
