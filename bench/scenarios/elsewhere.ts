import { type Scenario, secondsOf } from '../scenario.ts';

const RATE = 10_000;

/**
 * Events for channels that nobody here listens to: what every further instance pays for everybody's events. nchan has
 * no stream that everybody reads.
 */
export const elsewhere: Scenario = {
  name: 'elsewhere',
  subjects: ['signalbox', 'bare', 'sidecar', 'socketio'],
  async run(stage, size) {
    await stage.prepare('c', 100, 100);
    await stage.connect('c');
    const events = RATE * secondsOf(size);
    const flow = { group: 'elsewhere', channels: 1000, rate: RATE };
    await stage.publish({ ...flow, events: events / 2 });
    await stage.pass({ group: 'c', channels: 100, events: 100, rate: 0 });
    const cpuBefore = await stage.server.cpuMs();
    await stage.publish({ ...flow, events });
    // One event for each of the clients comes last: when they have it, the server has read all the others.
    await stage.pass({ group: 'c', channels: 100, events: 100, rate: 0 });
    const cpuMs = (await stage.server.cpuMs()) - cpuBefore;
    return [
      {
        case: `${RATE} events/s`,
        figures: { cpuUsPerEvent: (cpuMs * 1000) / events },
        exactness: stage.exactness,
      },
    ];
  },
};
