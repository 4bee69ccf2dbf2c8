import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from './messages.ts';
import type { Channel } from './primary-link.ts';
import type { End, Fork } from './slot.ts';

/**
 * Forks workers that share the ports they listen on: whatever one of them binds, port 0 included, the others get
 * too. (Node 20 ignores `reusePort`.) The primary accepts, and deals the connections out in turn; what comes over
 * them it never sees.
 */
export function createFork(entry: URL): Fork {
  return (listener) => {
    if (!cluster.isPrimary) {
      throw new Error(
        'this process is a worker of another cluster, and workers is not 1: one of both will do',
      );
    }
    // Advanced: a configuration has a Map in it.
    cluster.setupPrimary({ exec: fileURLToPath(entry), args: [], serialization: 'advanced' });
    const worker = cluster.fork();
    let end: End | undefined;
    let isTold = false;
    // It may have told something that is still on its way when it has ended: why it cannot start, for example.
    const tellEnd = (): void => {
      if (isTold || end === undefined || worker.isConnected()) return;
      isTold = true;
      listener.ended(end);
    };
    worker.on('message', (message: FromWorker) => listener.told(message));
    worker.once('disconnect', tellEnd);
    worker.once('exit', (code: number | null, signal: string | null) => {
      end = { code, signal };
      tellEnd();
    });
    // A process that could not be made has no exit; other errors are of a channel whose end is told anyway.
    worker.on('error', () => {
      if (worker.process.pid !== undefined || isTold) return;
      isTold = true;
      listener.ended({ code: null, signal: null });
    });
    return {
      pid: worker.process.pid,
      send: (message) => {
        // Who has gone need not be told, and is told of elsewhere.
        if (worker.isConnected()) worker.send(message, () => {});
      },
      kill: () => void worker.process.kill('SIGKILL'),
    };
  };
}

/** A worker's way to its primary; undefined in a process that was not forked. */
export function openChannel(): Channel | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  return {
    send: (message) => {
      if (worker.isConnected()) worker.send(message, () => {});
    },
    onMessage: (take) => void worker.on('message', (message: ToWorker) => take(message)),
    onDisconnect: (run) =>
      void worker.on('disconnect', () => {
        // Otherwise node:cluster ends the process here and now, and its sockets with it.
        worker.exitedAfterDisconnect = true;
        run();
      }),
  };
}
