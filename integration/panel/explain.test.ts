import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Explained, Explanation, Rows, SocketRow } from '../../src/inspect/api.ts';
import { start as startCommand } from '../../test/commands/running.ts';
import { type Frame, NativeClient, tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_ENV, ADMIN_TOKEN, Operator } from '../support/operator.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';

/** Of the text of an event that a socket is to be filled with. */
const LARGE = 'x'.repeat(60_000);

describe('why an event did or did not arrive', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).toReversed()) await end();
  });

  const start = async (env: Readonly<Record<string, string>> = {}, prefix = `${uniquePrefix()}:`) => {
    const signalbox = await startSignalbox({
      ...ADMIN_ENV,
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
      ...env,
    });
    ended.push(() => signalbox.stop());
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    return { signalbox, operator: Operator.of(signalbox), prefix };
  };
  const redis = async (): Promise<Redis> => {
    const client = new Redis(redisUrl());
    ended.push(() => client.disconnect());
    return client;
  };
  const open = async ({ port }: Signalbox, user: string, claims: object = {}) => {
    const client = await NativeClient.open(port, { token: tokenWith({ sub: user, ...claims }) });
    ended.push(() => client.cut());
    return client;
  };
  /** Publishes as somebody else; gives the event's id. */
  const publisherTo = async (signalbox: Signalbox) => {
    const client = await open(signalbox, 'publisher');
    return async (channel: string, data: unknown = 1): Promise<string> => {
      const { id } = await client.ask({ type: 'publish', channel, topic: 't', data });
      return id as string;
    };
  };
  const explained = async (
    operator: Operator,
    event: string,
    user: string,
    more = '',
  ): Promise<Explained> => {
    const path = `/inspect/explain?event=${event}&user=${user}${more}`;
    const { status, body } = await operator.get<Explained>(path);
    expect(status).toBe(200);
    return body;
  };
  /** Of the only socket of a user. */
  const explain = async (
    operator: Operator,
    event: string,
    user = 'anna',
    more = '',
  ): Promise<Explanation> => {
    const { answers, unanswered } = await explained(operator, event, user, more);
    expect([answers.length, unanswered]).toEqual([1, []]);
    return answers[0] as Explanation;
  };
  const subscribe = (client: NativeClient, channel: string, lastId?: string): Promise<Frame> =>
    client.ask({ type: 'subscribe', channel, ...(lastId !== undefined && { lastId }) });

  test('delivered: when it was queued and when it was written', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    const before = Date.now();
    const id = await publish('news');
    await client.hears('news', 1);
    const { verdict, sentence, evidence } = await explain(operator, id);
    expect(verdict).toMatchObject({ kind: 'delivered', isReplay: false });
    const { enqueuedAtMs = 0, writtenAtMs = 0 } = verdict as { enqueuedAtMs?: number; writtenAtMs?: number };
    for (const atMs of [enqueuedAtMs, writtenAtMs]) {
      expect(atMs).toBeGreaterThanOrEqual(before);
      expect(atMs).toBeLessThanOrEqual(Date.now());
    }
    expect(sentence).toContain('queued live');
    expect(evidence.length).toBeGreaterThan(1);
  });

  test('said by signalbox explain, in words and as JSON', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    const id = await publish('news');
    await client.hears('news', 1);
    const asked = ['--user', 'anna', '--url', operator.url, '--token', ADMIN_TOKEN];
    const words = startCommand('explain', [id, ...asked]);
    expect(await words.exitCode).toBe(0);
    expect(words.printed()).toContain(`event ${id} of news`);
    expect(words.printed()).toMatch(/socket \S+ of anna on \S+\n {2}delivered: It was queued live/);
    const json = startCommand('explain', [id, ...asked, '--json']);
    expect(await json.exitCode).toBe(0);
    expect((JSON.parse(json.printed()) as Explained).answers[0]?.verdict.kind).toBe('delivered');
    const refused = startCommand('explain', [id, ...asked.slice(0, -1), 'another-token']);
    expect([await refused.exitCode, refused.told()]).toEqual([1, expect.stringContaining('401')]);
    const nobody = startCommand('explain', [id, '--socket', 'none', ...asked.slice(2)]);
    expect(await nobody.exitCode).toBe(0);
    expect(nobody.printed()).toContain('socket none is on no process');
  });

  test('delivered again: as a replay, to a client that came back with its position', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const first = await publish('news');
    const second = await publish('news');
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news', first);
    await client.hears('news', 1);
    expect((await explain(operator, second)).verdict).toMatchObject({ kind: 'delivered', isReplay: true });
  });

  test('before its cursor: the client said that it has it', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const first = await publish('news');
    const second = await publish('news');
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news', second);
    expect((await explain(operator, first)).verdict).toMatchObject({ kind: 'before_cursor', cursor: second });
  });

  test('not subscribed then: it joined later, or had left, or never did', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const early = await publish('news');
    const client = await open(signalbox, 'anna');
    expect((await explain(operator, early)).verdict).toMatchObject({ kind: 'not_subscribed' });
    await subscribe(client, 'news');
    const joined = (await explain(operator, early)).verdict;
    expect(joined).toMatchObject({ kind: 'not_subscribed', joinedAtMs: expect.any(Number) });
    await client.ask({ type: 'unsubscribe', channel: 'news' });
    const late = await publish('news');
    const left = await eventually('it was routed', async () => {
      const { verdict } = await explain(operator, late);
      return verdict.kind === 'not_subscribed' ? verdict : undefined;
    });
    expect(left).toMatchObject({ leftAtMs: expect.any(Number) });
  });

  test('not allowed: its token does not let it', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna', { channels: ['other'] });
    expect(await subscribe(client, 'news')).toMatchObject({ type: 'error', code: 'forbidden' });
    const id = await publish('news');
    expect((await explain(operator, id)).verdict).toMatchObject({ kind: 'not_allowed', code: 'forbidden' });
  });

  test('in a gap: the broker no longer held it when the client came back', async () => {
    const { signalbox, operator, prefix } = await start({ SIGNALBOX_WINDOW_MAX_EVENTS: '3' });
    const publish = await publisherTo(signalbox);
    const ids: string[] = [];
    for (let at = 0; at < 10; at += 1) ids.push(await publish('news', at));
    await (await redis()).xtrim(`${prefix}c:news`, 'MAXLEN', 2);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news', ids[0]);
    await client.receives(({ type }) => type === 'gap');
    const { verdict } = await explain(operator, ids[2] as string, 'anna', '&channel=news');
    expect(verdict).toMatchObject({ kind: 'in_gap', reason: 'trimmed' });
  });

  test('paused as slow, and replayed once it read again', async () => {
    const { signalbox, operator } = await start({ MAX_SOCKET_BUFFER_BYTES: '65536' });
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    client.pause();
    const ids: string[] = [];
    await eventually('it is full', async () => {
      ids.push(await publish('news', LARGE));
      const { verdict } = await explain(operator, ids.at(-1) as string);
      return verdict.kind === 'due' && verdict.reason === 'paused';
    });
    const last = ids.at(-1) as string;
    expect((await explain(operator, last)).sentence).toContain('full');
    client.resume();
    await client.hears('news', ids.length);
    const { verdict, evidence } = await eventually('it was replayed', async () => {
      const found = await explain(operator, last);
      return found.verdict.kind === 'delivered' ? found : undefined;
    });
    expect(verdict).toMatchObject({ kind: 'delivered', isReplay: true });
    expect(evidence.some(({ text }) => text.includes('full'))).toBe(true);
  });

  test('stale since a ping was not answered; delivered once it answers', async () => {
    const { signalbox, operator } = await start({
      PING_SOCKETS_INTERVAL_MS: '300',
      SOCKET_RESPONSE_TIMEOUT_MS: '20000',
    });
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    await eventually('it is stale', async () => {
      const { body } = await operator.get<Rows<SocketRow>>('/inspect/api/sockets?user=anna');
      return body.rows[0]?.state === 'stale';
    });
    const id = await publish('news');
    const { verdict, sentence } = await eventually('it was routed', async () => {
      const found = await explain(operator, id);
      return found.verdict.kind === 'stale' || found.verdict.kind === 'due' ? found : undefined;
    });
    expect(JSON.stringify(verdict)).toContain('stale');
    expect(sentence).toContain('ping');
    client.send({ type: 'pong' });
    await client.hears('news', 1);
    expect((await explain(operator, id)).verdict).toMatchObject({ kind: 'delivered' });
  });

  test('its token had run out, or it was closed', async () => {
    const { signalbox, operator } = await start();
    const publish = await publisherTo(signalbox);
    const exp = Math.floor(Date.now() / 1000) + 2;
    const [expiring, leaving] = await Promise.all([
      open(signalbox, 'anna', { exp }),
      open(signalbox, 'bert'),
    ]);
    await subscribe(expiring, 'news');
    await subscribe(leaving, 'news');
    leaving.cut();
    await expiring.closes();
    const id = await publish('news');
    const of = (user: string) =>
      eventually('it was routed', async () => {
        const { verdict } = await explain(operator, id, user);
        return verdict.kind === 'not_read' ? undefined : verdict;
      });
    expect(await of('anna')).toMatchObject({ kind: 'expired' });
    expect(await of('bert')).toMatchObject({ kind: 'closed', reason: 'gone' });
  });

  test('not valid: what was written is no event', async () => {
    const { signalbox, operator, prefix } = await start();
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    await publish('news');
    await client.hears('news', 1);
    const id = (await (await redis()).xadd(`${prefix}$all`, '*', 'x', 'nothing')) as string;
    const verdict = await eventually('it was seen', async () => {
      const found = await explain(operator, id);
      return found.verdict.kind === 'malformed' ? found.verdict : undefined;
    });
    expect(verdict).toMatchObject({ kind: 'malformed', reason: expect.any(String) });
  });

  test('not seen by this process, which has not read so far; unknown where it is nowhere', async () => {
    const { signalbox, operator, prefix } = await start();
    const publish = await publisherTo(signalbox);
    const client = await open(signalbox, 'anna');
    await subscribe(client, 'news');
    const last = await publish('news');
    await client.hears('news', 1);
    // Written to the channel alone, as no publisher of ours does: no reader ever hears of it.
    const id = (await (
      await redis()
    ).xadd(`${prefix}c:news`, '*', 'c', 'news', 'd', '1', 'p', last)) as string;
    expect((await explain(operator, id, 'anna', '&channel=news')).verdict).toMatchObject({
      kind: 'not_read',
      position: last,
    });
    expect((await explain(operator, '1-0')).verdict).toMatchObject({ kind: 'unknown_event' });
  });

  test('of every socket of a user, on every process, for a while also after they have gone', async () => {
    const first = await start();
    const second = await start({}, first.prefix);
    const publish = await publisherTo(first.signalbox);
    const here = await open(first.signalbox, 'anna');
    const there = await open(second.signalbox, 'anna');
    for (const client of [here, there]) await subscribe(client, 'news');
    const id = await publish('news');
    for (const client of [here, there]) await client.hears('news', 1);
    here.cut();
    const { event, answers } = await eventually('both answer', async () => {
      const found = await explained(second.operator, id, 'anna');
      return found.answers.length === 2 ? found : undefined;
    });
    expect(event).toMatchObject({ id, channels: ['news'], feed: 'native' });
    expect(answers.map(({ verdict }) => verdict.kind)).toEqual(['delivered', 'delivered']);
    expect(new Set(answers.map(({ instance }) => instance)).size).toBe(2);
    expect((await explained(second.operator, id, 'nobody')).answers).toEqual([]);
  });
});
