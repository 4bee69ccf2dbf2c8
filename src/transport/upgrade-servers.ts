import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { COMPRESSION, isCompressionOffered } from './compression.ts';

export interface UpgradeServersOptions extends Pick<ServerOptions, 'handleProtocols' | 'WebSocket'> {
  /** Of what a client says, also of what a compressed message becomes. */
  readonly maxFrameBytes: number;
  /** Whether clients that offer permessage-deflate get compressed frames. */
  readonly isCompressing: boolean;
  /** Who asks for an upgrade that is none: answers and ends the connection. */
  refuse(request: IncomingMessage, connection: Duplex): void;
}

/** What completes upgrades of one protocol: gives the server that a request is for, by what it offers. */
export function createUpgradeServers(
  options: UpgradeServersOptions,
): (request: IncomingMessage) => WebSocketServer {
  const { maxFrameBytes, isCompressing, refuse, ...others } = options;
  const createServer = (perMessageDeflate: false | typeof COMPRESSION): WebSocketServer => {
    const server = new WebSocketServer({
      ...others,
      noServer: true,
      clientTracking: false,
      maxPayload: maxFrameBytes,
      perMessageDeflate,
    });
    return server.on('wsClientError', (_error, connection, request) => refuse(request, connection));
  };
  const plain = createServer(false);
  if (!isCompressing) return () => plain;
  const compressing = createServer(COMPRESSION);
  return ({ headers }) => (isCompressionOffered(headers) ? compressing : plain);
}
