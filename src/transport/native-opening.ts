import type { CloseReason } from '../../machines/close-reason.ts';
import type { OpenSocket } from '../actors/open-socket.ts';
import type { NewHandshake, Sockets } from '../actors/sockets.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Peer } from '../inspect/api.ts';
import { userChannel } from '../protocol/native/names.ts';
import type { ClientSession, Sessions } from '../protocol/native/sessions.ts';

/** A session that hears of the end of its socket. */
interface Session extends ClientSession {
  closed(reason: CloseReason): void;
}

export interface NativeOpening<S extends Session> {
  /** Those of the form in which its client hears. */
  readonly sockets: Sockets;
  readonly sessions: Sessions;
  readonly access: Pick<NativeAccess, 'isRevoked'>;
  readonly id: string;
  /** Authenticated, perhaps a while ago. */
  readonly principal: NativePrincipal;
  readonly transport: Peer['transport'];
  /** Where its client is. */
  readonly address: string;
  /** `session`: what it gives once the socket is open. */
  connect(
    listener: Parameters<NewHandshake['connect']>[1],
    session: () => S | undefined,
  ): OpenSocket['transport'];
  converse(socket: OpenSocket): S;
}

/** Opens a socket of the native protocol, however it is connected; its session can be found until it has gone. */
export function openNative<S extends Session>(opening: NativeOpening<S>): { session: S; isRevoked: boolean } {
  const { sockets, sessions, access, id, principal, transport, address } = opening;
  const { user, session: of } = principal;
  let session: S | undefined;
  const opened = sockets.accept({
    id,
    channel: userChannel(user),
    peer: { transport, protocol: 'native', user, session: of, address },
    onReleased(reason) {
      if (session === undefined) return;
      sessions.remove(session);
      session.closed(reason);
    },
    connect: (_, listener) => opening.connect(listener, () => session),
  });
  session = opening.converse(opened);
  sessions.add(session);
  // After it can be found: a revocation that comes from now on ends it, one that came before is seen here.
  const isRevoked = access.isRevoked(principal);
  if (isRevoked) session.end();
  return { session, isRevoked };
}
