import type { DialectName } from '../dialects.ts';
import { addExactness, type Exactness } from '../ledger.ts';
import { bySize, type Row, type Scenario, secondsOf } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { spread } from '../summary.ts';

interface Kind {
  readonly name: string;
  readonly group: string;
  readonly dialect: DialectName;
}

const WEB_SOCKETS: Kind = { name: 'WebSockets', group: 'w', dialect: 'native' };
const STREAMS: Kind = { name: 'streams', group: 's', dialect: 'events' };
const OF_NCHAN: readonly Kind[] = [
  { ...WEB_SOCKETS, dialect: 'nchan' },
  { ...STREAMS, dialect: 'nchanEvents' },
];

/** So that each delivery is a write of its own. */
const RATE = 20;

interface Account {
  readonly usPerDelivery: number[];
  exactness: Exactness;
}

/**
 * One channel that everybody listens to, by WebSocket and as Server-Sent Events of the same server: they take turns, so
 * that what else the machine does falls on both.
 */
export const sse: Scenario = {
  name: 'sse',
  subjects: ['signalbox', 'nchan'],
  hasPeersInSmoke: true,
  async run(stage, size) {
    const clients = bySize(size, 200, 2000);
    const kinds = stage.server.dialect === 'nchan' ? OF_NCHAN : [WEB_SOCKETS, STREAMS];
    for (const { group, dialect } of kinds) {
      await stage.prepare(group, clients, 1, false, dialect);
      await stage.connect(group);
    }
    const accounts = new Map<Kind, Account>();
    const seconds = bySize(size, 1, secondsOf(size));
    for (const kind of kinds) {
      const { exactness } = await pass(stage, kind, seconds);
      accounts.set(kind, { usPerDelivery: [], exactness });
    }
    for (let turn = bySize(size, 1, 5); turn > 0; turn -= 1) {
      for (const [kind, account] of accounts) {
        const { cpuMs, exactness } = await pass(stage, kind, seconds);
        account.usPerDelivery.push((cpuMs * 1000) / exactness.received);
        account.exactness = addExactness(account.exactness, exactness);
      }
    }
    return rowsOf(accounts);
  },
};

const pass = (stage: Stage, { group }: Kind, seconds: number) =>
  stage.pass({ group, channels: 1, rate: RATE, events: RATE * seconds, isNative: true });

function rowsOf(accounts: ReadonlyMap<Kind, Account>): Row[] {
  const [ofWebSockets] = accounts.values();
  return [...accounts].map(([{ name }, { usPerDelivery, exactness }]) => ({
    case: name,
    figures: {
      cpuUsPerDelivery: spread(usPerDelivery).median,
      timesWebSockets: spread(
        usPerDelivery.map((us, turn) => us / (ofWebSockets?.usPerDelivery[turn] ?? Number.NaN)),
      ).median,
    },
    exactness,
  }));
}
