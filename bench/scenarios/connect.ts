import { bySize, type Scenario } from '../scenario.ts';

/** Clients that come at once, each with a token that must be verified. */
export const connect: Scenario = {
  name: 'connect',
  subjects: ['signalbox', 'bare', 'sidecar', 'socketio', 'nchan'],
  async run(stage, size) {
    const clients = bySize(size, 200, 4000);
    await stage.prepare('warm', clients / 4, clients / 4);
    await stage.connect('warm');
    await stage.prepare('c', clients, clients);
    const cpuBefore = await stage.server.cpuMs();
    const ms = await stage.connect('c');
    const cpuMs = (await stage.server.cpuMs()) - cpuBefore;
    // Who was let in must also be heard: one event each.
    const { exactness } = await stage.pass({ group: 'c', channels: clients, events: clients, rate: 0 });
    return [
      {
        case: `${clients} clients`,
        figures: { connectionsPerS: clients / (ms / 1000), cpuUsPerConnection: (cpuMs * 1000) / clients },
        exactness,
      },
    ];
  },
};
