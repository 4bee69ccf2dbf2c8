import { WebSocket } from 'ws';
import {
  type Connection,
  type ConnectOptions,
  connect,
  type WebSocketConstructor,
} from '../../client/src/index.ts';
import { type Contract, createSignalbox, type Signalbox, type SignalboxOptions } from '../../src/index.ts';

/** A program with a Signalbox and its clients, all of which end together. */
export interface Started<C extends Contract> {
  readonly signalbox: Signalbox<C>;
  readonly url: string;
  /** A client by this name; what its program knows it by is the token `<user>[/<session>]`. */
  client(
    name?: string,
    options?: { [Key in keyof ConnectOptions]?: ConnectOptions[Key] | undefined },
  ): Connection;
  stop(): Promise<void>;
}

/** Every user may have every channel; the token is the name. */
export const byName: Pick<SignalboxOptions<Contract>, 'authenticate'> = {
  authenticate({ headers }) {
    const [user = '', session] = (headers.authorization ?? '').replace('Bearer ', '').split('/');
    if (user === '') return undefined;
    return { user, ...(session !== undefined && { session }), channels: ['*'], publish: ['*'] };
  },
};

export async function startProgram<C extends Contract>(
  options: SignalboxOptions<C> = {},
): Promise<Started<C>> {
  const signalbox = createSignalbox<C>({
    ...(byName as SignalboxOptions<C>),
    env: {},
    logger: false,
    ...options,
    config: { port: 0, drainMs: 0, ...options.config },
  });
  const { port } = await signalbox.start();
  const url = `ws://127.0.0.1:${port}${options.server === undefined ? '' : (options.path ?? '/signalbox')}`;
  const clients: Connection[] = [];
  return {
    signalbox,
    url,
    client(name = 'ann', more = {}) {
      const given = {
        token: () => name,
        WebSocket: WebSocket as unknown as WebSocketConstructor,
        backoffMs: 10,
        ...more,
      };
      const connection = connect(url, given as ConnectOptions);
      clients.push(connection);
      return connection;
    },
    async stop() {
      for (const connection of clients) connection.close();
      await signalbox.stop();
    },
  };
}

/** Resolves with what a listener is called with next. */
export function heard<T>(listen: (listener: (value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve) => void listen(resolve));
}

/** Resolves once a connection or a subscription is live, and rejects when it is closed instead. */
export function live(one: Pick<Connection, 'state' | 'error' | 'onState'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (one.state === 'live') resolve();
      if (one.state === 'closed') reject(one.error ?? new Error('closed'));
    };
    one.onState(look);
    look();
  });
}

/** Resolves once it is closed. */
export function closed(one: Pick<Connection, 'state' | 'onState'>): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (one.state === 'closed') resolve();
    };
    one.onState(look);
    look();
  });
}
