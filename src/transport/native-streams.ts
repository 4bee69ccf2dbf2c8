import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Actors } from '../actors/actors.ts';
import type { Sockets } from '../actors/sockets.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Clock } from '../clock.ts';
import { userChannel } from '../protocol/native/names.ts';
import type { Sessions } from '../protocol/native/sessions.ts';
import {
  type StreamForm,
  type StreamOptions,
  type StreamRules,
  StreamSession,
} from '../protocol/native/stream-session.ts';
import { openNative } from './native-opening.ts';
import { beginStream } from './sse-response.ts';
import { SseTransport } from './sse-transport.ts';

export interface NativeStreamsDeps {
  readonly actors: Pick<Actors, 'streams' | 'routing' | 'countOn'>;
  readonly access: Pick<NativeAccess, 'isRevoked'>;
  readonly sessions: Sessions;
  readonly rules: Omit<StreamRules, 'epoch' | 'now'>;
  readonly clock: Clock;
  /** Sockets of one user, however they are connected; 0: no limit. */
  readonly maxPerUser: number;
}

export interface NewStream extends StreamOptions {
  /** What its socket is to be called. */
  readonly id: string;
  readonly principal: NativePrincipal;
  /** Where it comes from. */
  readonly address: string;
  readonly response: ServerResponse;
  /** Beside those of every stream. */
  readonly headers: OutgoingHttpHeaders;
}

/** Streams of native channels: sockets that only listen, over HTTP. */
export interface NativeStreams {
  /** Whether this user has as many sockets as it may. */
  hasTooMany(principal: NativePrincipal): boolean;
  open(stream: NewStream): void;
}

export function createNativeStreams(deps: NativeStreamsDeps): NativeStreams {
  const { actors, access, sessions, clock, maxPerUser } = deps;
  const { fanOut, budget } = actors.routing;
  const rules: StreamRules = { ...deps.rules, epoch: () => fanOut.epoch, now: () => clock.now() };
  const [events, frames] = actors.streams as readonly [Sockets, Sockets, Sockets];
  const socketsOf: Readonly<Record<StreamForm, Sockets>> = { events, frames };

  return {
    hasTooMany: ({ user }) => maxPerUser > 0 && actors.countOn(userChannel(user)) >= maxPerUser,
    open({ id, principal, address, response, headers, ...options }) {
      const connection = beginStream(response, headers);
      const { session, isRevoked } = openNative({
        sockets: socketsOf[options.form],
        sessions,
        access,
        id,
        principal,
        transport: 'sse',
        address,
        connect: (listener) => new SseTransport({ connection, listener, budget }),
        converse: (opened) => new StreamSession(opened, principal, rules, options),
      });
      if (!isRevoked) session.begin();
    },
  };
}
