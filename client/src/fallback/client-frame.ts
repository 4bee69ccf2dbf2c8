import type { Publication, Saying } from './requests.ts';

export type RequestFrame =
  | ({ readonly type: 'ask' } & Saying)
  | ({ readonly type: 'tell' } & Saying)
  | ({ readonly type: 'publish'; readonly echo?: boolean } & Publication);

/** What the client says, as it would to a WebSocket. */
export type ClientFrame =
  | { readonly type: 'hello'; readonly positions?: Readonly<Record<string, string>>; readonly epoch?: string }
  | {
      readonly type: 'subscribe';
      readonly ref: number;
      readonly channel: string;
      readonly query?: unknown;
      readonly lastId?: string;
      readonly epoch?: string;
    }
  | { readonly type: 'unsubscribe'; readonly ref: number; readonly channel: string }
  | RequestFrame
  | { readonly type: 'refresh'; readonly ref: number; readonly token: string }
  | { readonly type: 'pong' };
