import { setTimeout as pause } from 'node:timers/promises';
import { bySize, type Row, type Scenario } from '../scenario.ts';
import type { SubjectName } from '../subject.ts';

/** Less than half of the default, and watched for as long: each socket is pinged once. */
const PING_SECONDS = 8;

/** Sockets that nothing happens on: what each costs in memory, and what pinging them costs. */
const idleOn = (
  name: string,
  subjects: readonly SubjectName[],
  channelsFor: (clients: number) => number,
): Scenario => ({
  name,
  subjects,
  env: (size) => ({ PING_SOCKETS_INTERVAL_MS: String(bySize(size, 2000, PING_SECONDS * 1000)) }),
  async run(stage, size) {
    const clients = bySize(size, 500, 10_000);
    const channels = channelsFor(clients);
    // What the first sockets bring with them, compiled code above all, is not a socket's.
    await stage.prepare('warm', 200, 200);
    await stage.connect('warm');
    await stage.load.ask('vanish', { group: 'warm' });
    const before = await stage.server.collectedBytes();
    await stage.prepare('c', clients, channels);
    await stage.connect('c');
    const after = await stage.server.collectedBytes();
    const seconds = bySize(size, 2, PING_SECONDS);
    const cpuBefore = await stage.server.cpuMs();
    await pause(seconds * 1000);
    const cpuMs = (await stage.server.cpuMs()) - cpuBefore;
    const { exactness } = await stage.pass({ group: 'c', channels, events: channels, rate: 0 });
    const row: Row = {
      case: `${clients} sockets`,
      figures: {
        residentKBPerSocket: (after - before) / 1024 / clients,
        idleCpuPercent: cpuMs / 10 / seconds,
      },
      exactness,
    };
    return [row];
  },
});

/** Without the sidecar, which takes half a minute to let so many in. */
const PEERS = ['signalbox', 'bare', 'socketio', 'nchan'] as const;

/** Each with a channel of its own. */
export const idle = idleOn('idle', PEERS, (clients) => clients);

/** All on one channel: without Socket.IO, for which a room is nothing that costs. */
export const idleShared = idleOn('idle-shared', ['signalbox', 'bare', 'nchan'], () => 1);
