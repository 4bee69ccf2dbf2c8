export type { ErrorCode, Reconnect, Retry } from './codes.ts';
export {
  type Connection,
  type ConnectOptions,
  connect,
  type PublishOptions,
  type SubscribeOptions,
} from './connection.ts';
export { type ClientErrorCode, SignalboxError } from './error.ts';
export type { AbortSignalLike, Clock, Fetch, WebSocketConstructor, WebSocketLike } from './host.ts';
export type { Readable, Stop } from './listeners.ts';
export type { RequestOptions } from './outbox.ts';
export type { Position } from './position.ts';
export type { Reducer, Refetched, Store, StoreOptions } from './store.ts';
export type { ChannelEvent, Gap, Snapshot, State, Subscription } from './subscription.ts';
