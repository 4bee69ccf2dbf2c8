import { type ConnectOptions, connect } from '../../../client/src/index.ts';
import { settled } from '../../support/heap-clock.ts';
import { type ServerOptions, TestServer } from './server.ts';

/** A server and one client of it; nothing has been said yet. */
export function setup(server: ServerOptions = {}, client: ConnectOptions = {}) {
  const its = new TestServer(server);
  const connection = connect('wss://server/path?query', { ...its.options, ...client });
  const advance = async (ms: number) => {
    // A promise that is already kept takes no time.
    await settled();
    await its.clock.advance(ms);
    await settled();
  };
  return { server: its, connection, advance };
}

/** Long enough for a hello and a few frames, too short for a pause. */
export const A_MOMENT_MS = 500;
