import type { Peer } from '../../src/inspect/api.ts';

/** Who is at the other end, where that is nothing to the test. */
export const PEER: Peer = { transport: 'websocket', protocol: 'superset' };
