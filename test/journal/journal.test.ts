import { describe, expect, test } from '@jest/globals';
import type { LogLine } from '../../src/inspect/api.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Client, type Core, createCore } from '../support/core.ts';
import { settled } from '../support/heap-clock.ts';

const BIG = 'x'.repeat(11_000);
/** An interval between two pings. */
const INTERVAL_MS = 20_000;

interface Journaled {
  readonly core: Core;
  readonly journal: Journal;
}

async function started(options: { keepMs?: number; maxSockets?: number } = {}): Promise<Journaled> {
  let core: Core | undefined;
  const journal = new Journal({
    now: () => core?.clock.now() ?? 0,
    instance: () => 'here',
    keepMs: 600_000,
    maxSockets: 10_000,
    ...options,
  });
  core = createCore({ deps: { journal } });
  await core.start();
  return { core, journal };
}

const spansOf = (journal: Journal, { id }: Client) =>
  journal.socket(id)?.subscriptions.map(({ spans }) => spans.map(({ kind }) => kind));
const eventsOf = (journal: Journal, { id }: Client) =>
  journal
    .socket(id)
    ?.transitions.map(({ event, times }) => (times === undefined ? event : `${event} ${times}`));

describe('the journal of a socket', () => {
  test('says who it is, since when, and where it stands', async () => {
    const { core, journal } = await started();
    const peer = { transport: 'sse', protocol: 'superset', user: 'ada', address: '192.0.2.1' } as const;
    const client = core.open({ peer });
    expect(journal.socket(client.id)).toMatchObject({
      peer,
      openedAtMs: core.clock.now(),
      closed: undefined,
      active: ['open.delivery.live', 'open.heartbeat.idle', 'open.credential.lasting'],
    });
    expect(journal.socketsOf('ada').map(({ id }) => id)).toEqual([client.id]);
    expect(journal.socketsOf('grace')).toEqual([]);
  });

  test('has one span of a subscription that was live from its first moment', async () => {
    const { core, journal } = await started();
    const position = await core.publish('c');
    const client = core.open();
    expect(journal.socket(client.id)?.subscriptions[0]?.spans).toEqual([
      { kind: 'joined', atMs: core.clock.now(), cursor: position, isLive: true },
    ]);
  });

  test('tells a replay from what was live, and a position that was claimed from one that was not', async () => {
    const { core, journal } = await started();
    const first = await core.publish('c');
    const second = await core.publish('c');
    const client = core.open({ lastId: first });
    const atMs = core.clock.now();
    expect(journal.socket(client.id)?.subscriptions[0]?.spans).toEqual([
      { kind: 'joined', atMs, cursor: first, isClaimed: true, isLive: false },
      { kind: 'replayed', atMs, after: first, cursor: second },
      { kind: 'live', atMs, cursor: second },
    ]);
  });

  test('has a span for each time that it was full, and for what was sent later', async () => {
    const { core, journal } = await started();
    const client = core.open();
    client.transport.isReading = false;
    await core.publish('c', BIG);
    await core.publish('c', BIG);
    expect(spansOf(journal, client)).toEqual([['joined', 'paused']]);
    client.transport.isReading = true;
    while (client.transport.bufferedBytes > 0) {
      client.transport.flush();
      await settled();
    }
    expect(spansOf(journal, client)).toEqual([['joined', 'paused', 'replayed', 'live']]);
    expect(eventsOf(journal, client)?.slice(0, 2)).toEqual(['transport.filled', 'transport.drained']);
    expect(eventsOf(journal, client)?.at(-1)).toBe('delivery.caughtUp');
  });

  test('makes one step of pings that were answered in a row, and measures the last of them', async () => {
    const { core, journal } = await started();
    const client = core.open();
    client.transport.isAnswering = false;
    for (let round = 0; round < 5; round += 1) {
      await core.clock.advance(INTERVAL_MS - 40);
      await core.clock.advance(40);
      client.transport.isAnswering = true;
      client.transport.answer();
      client.transport.isAnswering = false;
    }
    expect(eventsOf(journal, client)).toEqual(['answer.received 5']);
    expect(journal.socket(client.id)?.roundTripMs).toBeGreaterThan(0);
  });

  test('shows a ping that was not answered, and the timer that ended its socket', async () => {
    const { core, journal } = await started();
    const client = core.open();
    client.transport.isAnswering = false;
    await core.clock.advance(4 * INTERVAL_MS);
    expect(eventsOf(journal, client)).toEqual(['ping.due', 'ping.due', 'after responseTimeout']);
    expect(journal.socket(client.id)?.closed).toMatchObject({ reason: 'unresponsive' });
    expect(spansOf(journal, client)).toEqual([['joined', 'paused', 'left']]);
  });

  test('has when its credential runs out', async () => {
    const { core, journal } = await started();
    const client = core.open({ credentialLifetimeMs: 5_000 });
    expect(journal.socket(client.id)?.expiresAtMs).toBe(core.clock.now() + 5_000);
    await core.clock.advance(5_000);
    expect(journal.socket(client.id)?.closed).toMatchObject({ reason: 'expired' });
    expect(eventsOf(journal, client)?.slice(0, 2)).toEqual([
      'credential.renewed',
      'after credentialLifetime',
    ]);
  });

  test('is kept for a while after the socket has gone, and no longer', async () => {
    const { core, journal } = await started({ keepMs: 60_000 });
    const client = core.open();
    client.transport.cut();
    expect(journal.socket(client.id)?.closed).toMatchObject({ atMs: core.clock.now(), reason: 'gone' });
    await core.clock.advance(59_999);
    expect(journal.socket(client.id)).toBeDefined();
    await core.clock.advance(1);
    expect(journal.socket(client.id)).toBeUndefined();
  });

  test('goes first when it is the oldest of as many as are kept', async () => {
    const { core, journal } = await started({ maxSockets: 2 });
    const clients = [core.open(), core.open(), core.open()];
    const stays = core.open();
    for (const { transport } of clients) transport.cut();
    const kept = [...journal.sockets()].map(({ id }) => id);
    expect(kept).toEqual([clients[1]?.id, clients[2]?.id, stays.id]);
  });
});

describe('the journal of a feed', () => {
  test('has a line for each batch', async () => {
    const { core, journal } = await started();
    const first = await core.publish('c');
    const second = await core.publish('another');
    const feed = journal.feed('superset');
    expect(feed.lastBatches(10)).toMatchObject([
      { count: 1, firstId: first, lastId: first },
      { count: 1, firstId: second, lastId: second },
    ]);
    expect(feed.batchOf(second)).toMatchObject({ firstId: second });
  });

  test('names what is no event, and why', async () => {
    const { core, journal } = await started();
    const id = await core.broker.log.append('c', Buffer.from('[]'));
    await settled();
    expect(journal.feed('superset').malformedOf(id)).toMatchObject({ id, reason: 'not_object' });
  });
});

describe('whoever watches', () => {
  test('is told of each event, step and span of the sockets that match, and of no other', async () => {
    const { core, journal } = await started();
    const lines: LogLine[] = [];
    const stop = journal.watch(
      ({ peer }) => peer.user === 'ada',
      (line) => void lines.push(line),
    );
    const peer = { transport: 'websocket', protocol: 'superset', user: 'ada' } as const;
    const client = core.open({ peer });
    core.open();
    const id = await core.publish('c');
    client.transport.cut();
    stop();
    core.open({ peer });
    expect(lines.map(({ kind }) => kind)).toEqual([
      'opened',
      'span',
      'delivered',
      'transition',
      'span',
      'closed',
    ]);
    expect(lines[2]).toEqual({
      atMs: core.clock.now(),
      instance: 'here',
      socket: client.id,
      user: 'ada',
      kind: 'delivered',
      channel: 'c',
      id,
    });
  });

  test('is told of a socket that is there already, and may leave it again', async () => {
    const { core, journal } = await started();
    const client = core.open();
    const lines: LogLine[] = [];
    const stop = journal.watch(
      ({ id }) => id === client.id,
      (line) => void lines.push(line),
    );
    await core.publish('c');
    stop();
    await core.publish('c');
    expect(lines.map(({ kind }) => kind)).toEqual(['delivered']);
  });
});
