import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { INSPECTION_PAGE, INSPECTION_PAGE_POLICY } from './inspection-page.ts';
import type { Logger } from './logger.ts';

export interface InspectionServerOptions {
  readonly port: number;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** One fact was not sent to somebody who reads too slowly. */
  readonly onDropped: () => void;
  /** What somebody who connects is told first. */
  readonly history: () => Iterable<string>;
}

export interface InspectionServer {
  /** The address, once it listens; undefined when it cannot. */
  readonly listening: Promise<string | undefined>;
  /** Sends one fact, a JSON text without line breaks, to everybody who is connected. */
  send(text: string): void;
  close(): Promise<void>;
}

/** What one reader may be behind. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const LOOPBACK = '127.0.0.1';

/**
 * Serves a page and, at `/events`, the facts as Server-Sent Events, on the loopback interface only. A port that is
 * taken is a warning: inspection never stops a server.
 */
export function startInspectionServer(options: InspectionServerOptions): InspectionServer {
  const { port, logger, onDropped, history } = options;
  const readers = new Set<ServerResponse>();
  const server = createServer(answer);

  const listening = new Promise<string | undefined>((resolve) => {
    server.once('error', (error) => {
      logger.warn({ err: error }, 'Inspection is off: its server cannot listen');
      resolve(undefined);
    });
    server.listen(port, LOOPBACK, () => {
      const address = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/`;
      logger.info({ address }, `Inspection: open ${address} on this machine`);
      resolve(address);
    });
  });

  return {
    listening,
    send(text) {
      for (const reader of readers) offer(reader, text);
    },
    async close() {
      await listening;
      for (const reader of readers) reader.end();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };

  function offer(reader: ServerResponse, text: string): void {
    if (reader.writableLength > MAX_BUFFERED_BYTES) onDropped();
    else reader.write(`data: ${text}\n\n`);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // A page of elsewhere whose name was pointed at this machine would be of the same origin.
    if (!isLoopback(request.headers.host)) return refuse(response, 403, 'host');
    if (request.method !== 'GET') return refuse(response, 405, 'method');
    switch (request.url) {
      case '/':
        response.setHeader('Content-Security-Policy', INSPECTION_PAGE_POLICY);
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.end(INSPECTION_PAGE);
        return;
      case '/events':
        response.setHeader('Content-Type', 'text/event-stream');
        response.setHeader('Cache-Control', 'no-store');
        response.flushHeaders();
        // Whole, whatever its size: it is bounded, and a late start of an actor would never be told again.
        for (const text of history()) response.write(`data: ${text}\n\n`);
        readers.add(response);
        response.on('close', () => readers.delete(response));
        return;
      default:
        return refuse(response, 404, 'Not Found');
    }
  }
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host);
}

function refuse(response: ServerResponse, status: number, word: string): void {
  response.statusCode = status;
  response.end(word);
}
