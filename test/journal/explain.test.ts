import { describe, expect, test } from '@jest/globals';
import type { Explanation, Peer } from '../../src/inspect/api.ts';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';
import { createExplain, type OwnExplained } from '../../src/journal/explain.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Client, type Core, createCore } from '../support/core.ts';
import { settled } from '../support/heap-clock.ts';

const BIG = 'x'.repeat(11_000);
const PEER: Peer = { transport: 'websocket', protocol: 'superset', user: 'ada' };
const RECOVERED = { window: { maxEvents: 2, maxBytes: 1_000_000, maxAgeMs: 3_600_000 } };

interface Explained {
  readonly core: Core;
  readonly journal: Journal;
  ask(event: StreamId, of: Client, channel?: string): Promise<Explanation>;
  all(query: { event: StreamId; user?: string; socket?: string }): Promise<OwnExplained>;
}

async function started(options: Parameters<typeof createCore>[0] = {}): Promise<Explained> {
  let core: Core | undefined;
  const journal = new Journal({
    now: () => core?.clock.now() ?? 0,
    instance: () => 'here',
    keepMs: 600_000,
    maxSockets: 100,
  });
  core = createCore({ ...options, deps: { ...options.deps, journal } });
  await core.start();
  const explain = createExplain(journal, () => 'here');
  return {
    core,
    journal,
    async ask(event, { id: socket }, channel) {
      const { explanations } = await explain({ event, socket, channel });
      return explanations[0] as Explanation;
    },
    all: (query) => explain(query),
  };
}

/** Its transport takes nothing, and it is full. */
async function fill(core: Core, client: Client): Promise<StreamId> {
  client.transport.isReading = false;
  await core.publish('c', BIG);
  return core.publish('c', BIG);
}

async function drain({ transport }: Client): Promise<void> {
  transport.isReading = true;
  while (transport.bufferedBytes > 0) {
    transport.flush();
    await settled();
  }
}

const iso = (core: Core): string => new Date(core.clock.now()).toISOString();

describe('an event', () => {
  test('was delivered, and is still held back by the transport', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.publish('c');
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toEqual({ kind: 'delivered', enqueuedAtMs: core.clock.now(), isReplay: false });
    expect(sentence).toContain(`queued live, at ${iso(core)}`);
    expect(sentence).toContain('has held bytes back since');
  });

  test('was delivered, and written as soon as the transport had drained', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.publish('c');
    const enqueuedAtMs = core.clock.now();
    await core.clock.advance(700);
    client.transport.flush();
    const { verdict } = await ask(id, client);
    expect(verdict).toEqual({
      kind: 'delivered',
      enqueuedAtMs,
      writtenAtMs: enqueuedAtMs + 700,
      isReplay: false,
    });
  });

  test('was perhaps not written before its socket closed', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.publish('c');
    client.transport.cut();
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).not.toHaveProperty('writtenAtMs');
    expect(sentence).toContain('1 of its events had not been taken by the operating system');
  });

  test('was replayed to a socket that came back', async () => {
    const { core, ask } = await started();
    const first = await core.publish('c');
    const id = await core.publish('c');
    await core.clock.advance(1_000);
    const client = core.open({ lastId: first });
    expect((await ask(id, client)).verdict).toMatchObject({
      kind: 'delivered',
      isReplay: true,
      enqueuedAtMs: core.clock.now(),
    });
  });

  test('was replayed after the socket was paused as slow', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await fill(core, client);
    const due = await ask(id, client);
    expect(due.verdict).toEqual({ kind: 'due', reason: 'paused' });
    expect(due.sentence).toContain('its transport was full');
    await core.clock.advance(2_000);
    await drain(client);
    const { verdict, evidence } = await ask(id, client);
    expect(verdict).toMatchObject({ kind: 'delivered', isReplay: true, enqueuedAtMs: core.clock.now() });
    expect(evidence.some(({ text }) => text.includes('its transport was full'))).toBe(true);
  });

  test('came before the socket joined', async () => {
    const { core, ask } = await started();
    const id = await core.publish('c');
    const client = core.open();
    const { verdict } = await ask(id, client);
    expect(verdict).toEqual({ kind: 'not_subscribed', joinedAtMs: core.clock.now() });
  });

  test('is of a channel that the socket never had', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.publish('another');
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toEqual({ kind: 'not_subscribed' });
    expect(sentence).toBe('It was not sent: this socket has never had another.');
  });

  test('is of a channel that the socket was refused', async () => {
    const { core, journal, ask } = await started();
    const client = core.open();
    journal.socket(client.id)?.denied('another', 'claims', 'forbidden');
    const id = await core.publish('another');
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toEqual({ kind: 'not_allowed', by: 'claims', code: 'forbidden', atMs: core.clock.now() });
    expect(sentence).toContain('its token does not name the channel');
  });

  test('is before the position that the client said it had', async () => {
    const { core, ask } = await started();
    const id = await core.publish('c');
    const lastId = await core.publish('c');
    const client = core.open({ lastId });
    expect((await ask(id, client)).verdict).toEqual({ kind: 'before_cursor', cursor: lastId });
  });

  test('is in a gap that the socket was told of', async () => {
    const { core, ask } = await started({ limits: RECOVERED });
    const [lastId, id] = [await core.publish('c'), await core.publish('c')];
    await core.publish('c');
    const last = await core.publish('c');
    core.broker.trim(undefined, 1);
    core.broker.trim('c', 1);
    const client = core.open({ lastId });
    await settled();
    await settled();
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toMatchObject({ kind: 'in_gap', after: lastId, reason: 'trimmed' });
    expect(sentence).toContain('because the log no longer held them');
    expect((await ask(last, client)).verdict.kind).toBe('delivered');
  });

  test('waits for a socket that is stale, and is replayed when that answers', async () => {
    const { core, ask } = await started();
    const client = core.open();
    client.transport.isAnswering = false;
    await core.clock.advance(31_000);
    const sinceMs = core.clock.now();
    const id = await core.publish('c');
    const { verdict } = await ask(id, client);
    expect(verdict).toMatchObject({ kind: 'stale' });
    expect((verdict as { sinceMs: number }).sinceMs).toBeLessThanOrEqual(sinceMs);
    client.transport.isAnswering = true;
    client.transport.answer();
    expect((await ask(id, client)).verdict).toMatchObject({ kind: 'delivered', isReplay: true });
  });

  test('came while the socket was stale, which then ended', async () => {
    const { core, ask } = await started();
    const client = core.open();
    client.transport.isAnswering = false;
    await core.clock.advance(31_000);
    const id = await core.publish('c');
    await core.clock.advance(60_000);
    const { verdict, sentence } = await ask(id, client);
    expect(verdict.kind).toBe('stale');
    expect(sentence).toContain('closed (unresponsive)');
  });

  test('came after the token expired', async () => {
    const { core, ask } = await started();
    const client = core.open({ credentialLifetimeMs: 1_000 });
    await core.clock.advance(1_000);
    const atMs = core.clock.now();
    await core.clock.advance(1_000);
    const id = await core.publish('c');
    expect((await ask(id, client)).verdict).toEqual({ kind: 'expired', atMs });
  });

  test('came after the socket closed', async () => {
    const { core, ask } = await started();
    const client = core.open();
    client.transport.cut();
    const atMs = core.clock.now();
    await core.clock.advance(1_000);
    const id = await core.publish('c');
    expect((await ask(id, client)).verdict).toEqual({ kind: 'closed', atMs, reason: 'gone' });
  });

  test('was queued as the transport broke', async () => {
    const { core, ask } = await started();
    const client = core.open();
    client.transport.isBroken = true;
    const id = await core.publish('c');
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toMatchObject({ kind: 'closed', reason: 'failed' });
    expect(sentence).toContain('the transport broke');
  });

  test('is no event', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.broker.log.append('c', Buffer.from('{"no":"channel"}'));
    await settled();
    expect((await ask(id, client)).verdict).toEqual({
      kind: 'malformed',
      reason: 'no_channel',
      atMs: core.clock.now(),
    });
  });

  test('looked like an event, until somebody wanted it', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.broker.log.append('c', Buffer.from('{"channel_id":"c",'));
    await settled();
    expect((await ask(id, client)).verdict).toMatchObject({ kind: 'malformed', reason: 'not_json' });
  });

  test('has not been seen by the reader, which is stale', async () => {
    const { core, journal, ask } = await started();
    const client = core.open();
    await core.publish('c');
    const { position } = journal.feed('superset');
    core.broker.outage(true);
    await settled();
    const id = streamId(core.clock.now() + 5_000, 0);
    const { verdict, sentence } = await ask(id, client);
    expect(verdict).toEqual({ kind: 'not_read', position });
    expect(sentence).toContain('the broker cannot be asked now');
  });

  test('is nowhere', async () => {
    const { core, ask } = await started();
    const client = core.open();
    expect((await ask(streamId(5, 5), client)).verdict).toEqual({ kind: 'unknown_event' });
  });

  test('is older than what the journal goes back to', async () => {
    const { core, ask } = await started();
    const client = core.open();
    const id = await core.publish('c');
    for (let round = 0; round < 60; round += 1) {
      await fill(core, client);
      await drain(client);
      await core.publish('c');
      client.transport.flush();
    }
    expect((await ask(id, client)).verdict).toEqual({ kind: 'unknown' });
  });
});

describe('an explanation', () => {
  test('is given of all sockets of a user, those that have gone among them', async () => {
    const { core, all } = await started();
    const gone = core.open({ peer: PEER });
    const here = core.open({ peer: PEER });
    core.open();
    const id = await core.publish('c');
    gone.transport.cut();
    const { event, explanations } = await all({ event: id, user: 'ada' });
    expect(event).toEqual({ id, channels: ['c'], feed: 'superset' });
    expect(explanations.map(({ socket, verdict }) => [socket, verdict.kind])).toEqual([
      [gone.id, 'delivered'],
      [here.id, 'delivered'],
    ]);
    expect(explanations[0]).toMatchObject({ instance: 'here', user: 'ada' });
  });

  test('is not given of a socket that is not known here', async () => {
    const { core, all } = await started();
    const id = await core.publish('c');
    expect((await all({ event: id, socket: 'elsewhere' })).explanations).toEqual([]);
  });

  test('finds an event that is no longer in the window in the log', async () => {
    const { core, ask } = await started({ limits: RECOVERED });
    const client = core.open();
    const id = await core.publish('c');
    for (let count = 0; count < 5; count += 1) await core.publish('another');
    expect((await ask(id, client)).verdict).toMatchObject({ kind: 'delivered', isReplay: false });
  });

  test('has as evidence the batch, and what happened to the subscription, in order', async () => {
    const { core, ask } = await started();
    const client = core.open();
    await core.clock.advance(10);
    const id = await core.publish('c');
    const { evidence } = await ask(id, client);
    const times = evidence.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(evidence.map(({ text }) => text).join('\n')).toMatch(
      /opened[\s\S]*joined, from 0-0, and was live[\s\S]*A batch was routed: /,
    );
  });
});
