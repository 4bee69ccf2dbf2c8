export type { ConfigProblem } from './config/problem.ts';
export type {
  AuthenticationRequest,
  Callbacks,
  CallContext,
  ConnectionRequest,
} from './library/callbacks.ts';
export type { Channel } from './library/channels.ts';
export type { AnyContract, Contract } from './library/contract.ts';
export { SignalboxError, type SignalboxErrorCode, type SignalboxErrorDetails } from './library/error.ts';
export type { Address } from './library/life.ts';
export type { LogTarget } from './library/logger.ts';
export type { ConfigOptions } from './library/options.ts';
export { createPublisher, type Publisher, type PublisherOptions } from './library/publisher.ts';
export {
  createSignalbox,
  type Signalbox,
  type SignalboxOptions,
  type Unsubscribe,
} from './library/signalbox.ts';
export type { CloseReason } from '../machines/close-reason.ts';
export type { KnownPrincipal, Principal, Socket } from './library/socket.ts';
export type { Booted, Published, PublishOptions, Speaker, Target } from './library/speaker.ts';
