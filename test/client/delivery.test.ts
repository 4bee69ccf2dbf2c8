import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type Connection, type Gap, connect, type Subscription } from '../../client/src/index.ts';
import { compareIds } from '../../client/src/position.ts';
import { TestServer } from './support/server.ts';

const CHANNELS = ['a', 'b', 'c'] as const;

const channels = fc.constantFrom(...CHANNELS);
const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4000 }) });
/** Within what a frame takes: between one and the next. */
const moment = fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) });
const publish = fc.record({ do: fc.constant('publish' as const), channel: channels });
const cut = fc.record({ do: fc.constant('cut' as const), isNoticed: fc.boolean() });
const end = fc.record({
  do: fc.constant('end' as const),
  code: fc.constantFrom(1001, 1012, 1011, 4413, 4408),
});
const outage = fc.record({ do: fc.constant('outage' as const), ms: fc.integer({ min: 0, max: 60_000 }) });
const drain = fc.record({ do: fc.constant('drain' as const), after: fc.integer({ min: 0, max: 3000 }) });
const subscribe = fc.record({ do: fc.constant('subscribe' as const), channel: channels });
const garbage = fc.record({ do: fc.constant('garbage' as const) });
const trim = fc.record({ do: fc.constant('trim' as const), channel: channels });
const loseData = fc.record({ do: fc.constant('loseData' as const) });

const harmless = [
  publish,
  publish,
  publish,
  wait,
  wait,
  moment,
  moment,
  cut,
  end,
  outage,
  drain,
  subscribe,
  garbage,
];

type Step = { do: string; ms?: number; channel?: string; code?: number; after?: number; isNoticed?: boolean };

/** What one subscription has heard. */
interface Ear {
  readonly subscription: Subscription;
  readonly ids: string[];
  readonly gaps: Gap[];
  /** Where it joined first. */
  from?: { readonly id: string; readonly epoch: string };
}

function listen(subscription: Subscription): Ear {
  const ear: Ear = { subscription, ids: [], gaps: [] };
  subscription.onState((state) => {
    const { position } = subscription;
    if (state === 'live' && position !== undefined)
      ear.from ??= { id: position.lastId, epoch: position.epoch };
  });
  subscription.on('*', (_, { id }) => ear.ids.push(id));
  subscription.on('gap', (gap) => ear.gaps.push(gap));
  return ear;
}

async function run(server: TestServer, connection: Connection, steps: readonly Step[]): Promise<Ear[]> {
  const ears = new Map<string, Ear>();
  let count = 0;
  for (const step of steps) {
    switch (step.do) {
      case 'wait':
        await server.clock.advance(step.ms ?? 0);
        break;
      case 'publish':
        count += 1;
        server.append(step.channel ?? '', count);
        break;
      case 'cut':
        server.wire.cut(step.isNoticed ?? true);
        break;
      case 'end':
        server.end(step.code ?? 1006);
        break;
      case 'outage':
        await server.outage(step.ms ?? 0);
        break;
      case 'drain':
        server.send({ type: 'reconnect', after: step.after ?? 0, reason: 'drain' });
        server.end(1001, 'drain');
        break;
      case 'garbage':
        for (const line of server.wire.ends) line.send('{"type":');
        break;
      case 'subscribe': {
        const name = step.channel ?? '';
        if (!ears.has(name)) ears.set(name, listen(connection.subscribe(name)));
        break;
      }
      case 'trim':
        server.trim(step.channel ?? '');
        break;
      case 'loseData':
        server.loseData();
    }
  }
  // Long enough for the longest pause, a dead line and a ping that says that everything is there.
  await server.clock.advance(200_000);
  return [...ears.values()];
}

describe('a subscription', () => {
  test('hears every event since it joined once, in order, whatever happens to its connections', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.oneof(...harmless), { maxLength: 60, size: 'max' }),
        async (seed, steps) => {
          const server = new TestServer({ seed });
          const connection = connect('ws://server/', server.options);
          const ears = await run(server, connection, steps);
          for (const { subscription, ids, gaps, from } of ears) {
            const wanted = server.log.filter(
              (event) => event.channel === subscription.channel && compareIds(event.id, from?.id ?? '') > 0,
            );
            expect(ids).toEqual(wanted.map(({ id }) => id));
            expect(gaps).toEqual([]);
            expect(subscription.state).toBe('live');
          }
          expect(connection.state).toBe('live');
          expect(server.faults).toEqual([]);
          connection.close();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is told of what it cannot have, and hears all the rest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.oneof(...harmless, trim, loseData), { maxLength: 60, size: 'max' }),
        async (seed, steps) => {
          const server = new TestServer({ seed });
          const connection = connect('ws://server/', server.options);
          const ears = await run(server, connection, steps);
          for (const { subscription, ids, gaps, from } of ears) {
            const wanted = server.log.filter(
              ({ channel, id, epoch }) =>
                channel === subscription.channel &&
                (epoch === from?.epoch
                  ? compareIds(id, from.id) > 0
                  : Number(epoch.slice(1)) > Number(from?.epoch.slice(1))),
            );
            expect(new Set(ids).size).toBe(ids.length);
            const heard = wanted.filter(({ id }) => ids.includes(id)).map(({ id }) => id);
            expect(ids).toEqual(heard);
            const lost = wanted.filter(({ id }) => !ids.includes(id));
            // Of an epoch that ended, what came after the last position is lost with it.
            const isTold = ({ id, epoch }: { id: string; epoch: string }) =>
              gaps.some((gap) =>
                gap.epoch === undefined
                  ? compareIds(id, gap.after) > 0 && compareIds(id, gap.id) <= 0
                  : epoch !== gap.epoch || compareIds(id, gap.id) <= 0,
              );
            expect(lost.filter((event) => !isTold(event))).toEqual([]);
            expect(subscription.position?.epoch ?? server.epoch).toBe(server.epoch);
            expect(subscription.state).toBe('live');
          }
          expect(server.faults).toEqual([]);
          connection.close();
        },
      ),
      { numRuns: 300 },
    );
  });
});
