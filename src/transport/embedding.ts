import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseUpgrade } from './refusal.ts';

/** A server of somebody else's that lends us a path. */
export interface Host {
  /** Of `node:http` or `node:https`. */
  readonly server: Server;
  /** Begins with a slash and does not end with one; what is below it is ours. */
  readonly path: string;
}

/** Without a listener Node takes an upgrade for a plain request. */
const takesNone = (): void => {};
/** What stands before the listeners of a host, so that another one of us knows it. */
const stands = new WeakSet<Server['emit']>();

/**
 * Hands what comes to a host under our path to a server that listens to nothing itself, with the path taken off; what
 * else comes goes on as if we were not there. Returns what undoes it.
 *
 * It stands before the host's listeners, and not among them: of two that hear a request both would answer it, whatever
 * the order in which they were added.
 */
export function embed(inner: Server, { server, path }: Host): () => void {
  const hadOwn = Object.hasOwn(server, 'emit');
  const original = server.emit;
  const pass = original.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  let isGuest = true;
  const emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'request' && event !== 'upgrade' && event !== 'checkContinue') return pass(event, ...args);
    const request = args[0] as IncomingMessage;
    const target = isGuest ? below(path, request.url ?? '') : undefined;
    if (target === undefined) {
      // Of several of us the last one knows, before which nobody took it.
      const isForNobody = event === 'upgrade' && !stands.has(original) && isTakenByNone(server);
      if (isForNobody) refuseUpgrade(args[1] as Duplex, 404, 'not found');
      return isForNobody || pass(event, ...args);
    }
    // The links of what is there are relative to it, so that they are right behind a proxy too.
    if (event === 'request' && (request.url ?? '') === path && path !== '/') {
      (args[1] as ServerResponse)
        .writeHead(308, { Location: `${path.slice(path.lastIndexOf('/') + 1)}/` })
        .end();
      return true;
    }
    request.url = target;
    if (event !== 'checkContinue') return inner.emit(event, ...args);
    (args[1] as ServerResponse).writeContinue();
    return inner.emit('request', ...args);
  };
  server.on('upgrade', takesNone);
  server.emit = emit as Server['emit'];
  stands.add(server.emit);
  return () => {
    isGuest = false;
    server.off('upgrade', takesNone);
    // Somebody else may stand before it by now, and goes on to what was there before us.
    if (server.emit !== emit) return;
    if (hadOwn) server.emit = original;
    else Reflect.deleteProperty(server, 'emit');
  };
}

function isTakenByNone(server: Server): boolean {
  const listeners = server.listeners('upgrade');
  return listeners.length > 0 && listeners.every((listener) => listener === takesNone);
}

/** The target below a path; undefined: it is not there. */
function below(path: string, target: string): string | undefined {
  if (path === '/') return target;
  if (!target.startsWith(path)) return undefined;
  const rest = target.slice(path.length);
  if (rest === '') return '/';
  if (rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : undefined;
}

/** Where a server listens; port 0: nowhere yet, or not on a port. */
export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') return { host: address ?? '', port: 0 };
  return { host: address.address, port: address.port };
}
