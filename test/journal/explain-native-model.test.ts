import { describe, expect, test } from '@jest/globals';
import { recordingOf } from '../../src/journal/recording.ts';
import { replayRecording } from '../../src/journal/replay.ts';
import type { SocketJournal } from '../../src/journal/socket-journal.ts';
import { judge } from '../../src/journal/verdict.ts';
import type { Instance } from '../model/instance.ts';
import { NativeWorld } from '../model/native-world.ts';

const SEEDS = Number(process.env['MODEL_SEEDS'] ?? 20);
const STEPS = 120;

interface Heard {
  readonly type: string;
  readonly channel: string;
  readonly id: string;
}

type Counts = Map<string, number>;

/** Of all events and all sockets of an instance, whether what is said became of them is what did. */
function check(world: NativeWorld, { core, clients }: Instance, counts: Counts): void {
  for (const { id, transport } of clients) {
    const socket = core.journal.socket(id) as SocketJournal;
    const { difference } = replayRecording(recordingOf(socket));
    if (difference !== undefined)
      throw new Error(`${id} is replayed otherwise: ${JSON.stringify(difference)}`);
    const frames = transport.written.map((frame) => JSON.parse(frame.toString()) as Heard);
    const sent = new Set(frames.filter(({ type }) => type === 'event').map((f) => `${f.channel} ${f.id}`));
    for (const event of world.journal.events) {
      // One of another life of the broker is in no log that could be asked.
      if (event.epoch !== world.journal.epoch) continue;
      const found = { feed: socket.feed, id: event.id, channels: [event.channel] };
      const { verdict, sentence } = judge(socket, found);
      counts.set(verdict.kind, (counts.get(verdict.kind) ?? 0) + 1);
      const wasSent = sent.has(`${event.channel} ${event.id}`);
      if (verdict.kind === 'unknown' || (verdict.kind === 'delivered') === wasSent) continue;
      throw new Error(
        `${wasSent ? 'sent' : 'not sent'}: ${id} and ${event.channel} ${event.id}: ${sentence}`,
      );
    }
  }
}

describe('explain of native sockets under random interleavings', () => {
  test.each([
    ['alone', false],
    ['beside an application that is slow, refuses and fails', true],
  ])(
    '%s, says delivered of what was sent and of nothing else, for every seed',
    async (_, hasApplication) => {
      const counts: Counts = new Map();
      const only = process.env['MODEL_SEED'];
      const first = only === undefined ? 1 : Number(only);
      for (let seed = first; seed < first + (only === undefined ? SEEDS : 1); seed += 1) {
        const world = new NativeWorld(seed, { hasApplication });
        try {
          await world.start();
          for (let step = 0; step < STEPS; step += 1) await world.step();
          for (const instance of world.installation.living) check(world, instance, counts);
        } catch (error) {
          throw new Error(`MODEL_SEED=${seed}: ${String(error)}`, { cause: error });
        }
      }
      for (const kind of ['delivered', 'in_gap', 'before_cursor', 'not_subscribed', 'closed', 'due']) {
        expect([kind, (counts.get(kind) ?? 0) > 0]).toEqual([kind, true]);
      }
    },
    300_000,
  );
});
