import { describe, expect, test } from '@jest/globals';
import type { StreamId } from '../../src/event/stream-id.ts';
import type { Explanation } from '../../src/inspect/api.ts';
import { createExplain } from '../../src/journal/explain.ts';
import { Journal } from '../../src/journal/journal.ts';
import { principal } from '../support/native-auth.ts';
import {
  createNativeCore,
  type NativeConnection,
  type NativeCore,
  type NativeCoreOptions,
} from '../support/native-core.ts';

interface Explained {
  readonly core: NativeCore;
  readonly journal: Journal;
  connect(): Promise<NativeConnection>;
  ask(event: string, of: NativeConnection): Promise<Explanation>;
}

const CHANNEL = 'news';

async function started(options: NativeCoreOptions = {}): Promise<Explained> {
  let core: NativeCore | undefined;
  const journal = new Journal({
    now: () => core?.clock.now() ?? 0,
    instance: () => 'here',
    keepMs: 600_000,
    maxSockets: 100,
  });
  core = createNativeCore({ ...options, deps: { ...options.deps, journal } });
  await core.start();
  const explain = createExplain(journal, () => 'here');
  const as = { ...principal, channels: [CHANNEL], publish: [CHANNEL] };
  return {
    core,
    journal,
    async connect() {
      const connection = core.connect({ as });
      connection.say({ type: 'hello', ref: 0 });
      await connection.hear();
      return connection;
    },
    async ask(event, { socket }) {
      const { explanations } = await explain({ event: event as StreamId, socket: socket.id });
      return explanations[0] as Explanation;
    },
  };
}

async function subscribe(connection: NativeConnection, channel: string): Promise<void> {
  connection.say({ type: 'subscribe', ref: 1, channel });
  await connection.hear();
}

describe('an event of a native channel', () => {
  test('is its own publication, which the socket did not want back, and goes to the others', async () => {
    const { core, connect, ask, journal } = await started();
    const [own, other] = [await connect(), await connect()];
    for (const connection of [own, other]) await subscribe(connection, CHANNEL);
    own.say({ type: 'publish', ref: 2, channel: CHANNEL, topic: 't', data: 1, echo: false });
    const frames = await own.hear();
    const { id = '' } = frames.find(({ type }) => type === 'published') ?? {};
    expect((await ask(id, own)).verdict).toEqual({ kind: 'unechoed', atMs: core.clock.now() });
    expect((await ask(id, other)).verdict.kind).toBe('delivered');
    const next = await core.publish(CHANNEL);
    expect((await ask(next, own)).verdict.kind).toBe('delivered');
    // Which the publication held back for no longer than it took.
    const spans = journal
      .socket(own.socket.id)
      ?.subscriptions.at(-1)
      ?.spans.map(({ kind }) => kind);
    expect(spans?.at(-1)).not.toBe('paused');
  });

  test('is of a channel that the token does not name', async () => {
    const { core, connect, ask } = await started();
    const connection = await connect();
    await subscribe(connection, 'secrets');
    const id = await core.publish('secrets');
    const { verdict, sentence } = await ask(id, connection);
    expect(verdict).toMatchObject({ kind: 'not_allowed', by: 'claims', code: 'forbidden' });
    expect(sentence).toContain('refused secrets');
  });

  test('is of a channel that the application refused', async () => {
    const { core, connect, ask } = await started({
      rules: { decider: { subscribe: async () => ({ code: 'forbidden' }) } },
    });
    const connection = await connect();
    await subscribe(connection, CHANNEL);
    const id = await core.publish(CHANNEL);
    expect((await ask(id, connection)).verdict).toMatchObject({ kind: 'not_allowed', by: 'application' });
  });

  test('came while the socket had left its channel, and before it joined again', async () => {
    const { core, connect, ask } = await started();
    const connection = await connect();
    await subscribe(connection, CHANNEL);
    await core.clock.advance(1_000);
    connection.say({ type: 'unsubscribe', ref: 2, channel: CHANNEL });
    const leftAtMs = core.clock.now();
    await core.clock.advance(1_000);
    const id = await core.publish(CHANNEL);
    expect((await ask(id, connection)).verdict).toEqual({ kind: 'not_subscribed', leftAtMs });
    await core.clock.advance(1_000);
    await subscribe(connection, CHANNEL);
    const joinedAtMs = core.clock.now();
    expect((await ask(id, connection)).verdict).toEqual({ kind: 'not_subscribed', leftAtMs, joinedAtMs });
  });

  test('is said by a snapshot that the socket was given', async () => {
    const { core, connect, ask } = await started();
    await core.publish(CHANNEL);
    const id = await core.publish(CHANNEL);
    const last = await core.publish(CHANNEL, { all: true }, true);
    const connection = await connect();
    await subscribe(connection, CHANNEL);
    expect((await ask(id, connection)).verdict).toEqual({ kind: 'before_cursor', cursor: last });
  });

  test('is looked for in the feed of the socket, whatever other feeds have', async () => {
    const { core, connect, ask, journal } = await started();
    journal.feed('superset');
    const connection = await connect();
    await subscribe(connection, CHANNEL);
    const id = await core.publish(CHANNEL);
    expect((await ask(id, connection)).verdict.kind).toBe('delivered');
  });
});
