import { bySize, type Row, type Scenario } from '../scenario.ts';
import { measure } from './flow.ts';

/** One channel that everybody listens to. */
export const broadcast: Scenario = {
  name: 'broadcast',
  subjects: ['signalbox', 'bare', 'sidecar', 'socketio', 'nchan'],
  hasPeersInSmoke: true,
  async run(stage, size) {
    const clients = bySize(size, 200, 2000);
    await stage.prepare('c', clients, 1);
    await stage.connect('c');
    const rows: Row[] = [];
    for (const rate of bySize(size, [50], [50, 100])) {
      rows.push(await measure(stage, size, `${rate} events/s`, { group: 'c', channels: 1, rate }));
    }
    return rows;
  },
};
