/** What the server says, as docs/protocol.md has it. */
export interface Joined {
  readonly channel: string;
  readonly id: string;
  readonly epoch: string;
  readonly recovered: boolean;
}

export interface EventFrame {
  readonly type: 'event';
  readonly channel: string;
  readonly topic: string;
  readonly id: string;
  /** When the broker took it, ms since 1970. */
  readonly time: number;
  readonly data: unknown;
}

export interface SnapshotFrame {
  readonly type: 'snapshot';
  readonly channel: string;
  readonly id: string;
  readonly data: unknown;
}

export interface GapFrame {
  readonly type: 'gap';
  readonly channel: string;
  readonly after: string;
  readonly id: string;
  readonly epoch?: string;
  readonly reason: string;
}

export interface WelcomeFrame {
  readonly type: 'welcome';
  readonly socket: string;
  readonly user?: string;
  readonly session?: string;
  readonly pingInterval: number;
  readonly expiresAt?: number;
  readonly subscriptions: readonly Joined[];
}

export interface ErrorFrame {
  readonly type: 'error';
  readonly ref?: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfter?: number;
}

export type ServerFrame =
  | WelcomeFrame
  | EventFrame
  | SnapshotFrame
  | GapFrame
  | ErrorFrame
  | ({ readonly type: 'subscribed'; readonly ref: number } & Joined)
  | { readonly type: 'unsubscribed'; readonly ref?: number; readonly channel: string }
  | { readonly type: 'answer'; readonly ref: number; readonly data: unknown }
  | { readonly type: 'told'; readonly ref: number }
  | { readonly type: 'published'; readonly ref: number; readonly id: string }
  | { readonly type: 'refreshed'; readonly ref: number; readonly expiresAt: number }
  | { readonly type: 'tell'; readonly topic: string; readonly data?: unknown }
  | { readonly type: 'ping'; readonly id?: string }
  | { readonly type: 'reconnect'; readonly after: number };
