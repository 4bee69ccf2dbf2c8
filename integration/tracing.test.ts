import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createPublisher } from '../src/index.ts';
import { NativeClient } from './native/client.ts';
import { eventually } from './support/eventually.ts';
import { type SignalboxProcess, startProcess } from './support/process.ts';
import { redisUrl, uniquePrefix } from './support/redis.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const API_KEY = 'a-key-of-the-tracing-tests-0123';
const SDK = pathToFileURL('integration/support/tracing-sdk.mjs').href;

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
  readonly linked: readonly string[];
}

describe('a server with an SDK of OpenTelemetry', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  const start = async (env: object = {}): Promise<SignalboxProcess> => {
    const signalbox = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_API_KEYS: API_KEY,
      ...env,
    });
    ended.unshift(() => signalbox.end('SIGKILL'));
    return signalbox;
  };
  const spansOf = (signalbox: SignalboxProcess): Span[] =>
    [...signalbox.output().matchAll(/^span (.*)$/gm)].map(([, text = '']) => JSON.parse(text) as Span);
  const subscribed = async ({ port }: SignalboxProcess): Promise<NativeClient> => {
    const client = await NativeClient.open(port);
    ended.unshift(() => client.cut());
    await client.ask({ type: 'subscribe', channel: 'sport' });
    return client;
  };
  const entriesOf = async (prefix: string): Promise<string[][]> => {
    const redis = new Redis(redisUrl());
    ended.unshift(() => redis.disconnect());
    return (await redis.xrange(`${prefix}c:sport`, '-', '+')).map(([, fields]) => fields);
  };

  test('follows an event from one process through Redis to another', async () => {
    const prefix = `${uniquePrefix()}own:`;
    const env = { SIGNALBOX_NATIVE_PREFIX: prefix, NODE_OPTIONS: `--import ${SDK}` };
    const [publishing, delivering] = [await start(env), await start(env)];
    const client = await subscribed(delivering);
    const answer = await fetch(`http://127.0.0.1:${publishing.port}/publish`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${API_KEY}`,
        'content-type': 'application/json',
        traceparent: `00-${TRACE}-${CALLER}-01`,
      },
      body: '{"channel":"sport","data":1}',
    });
    expect(answer.status).toBe(201);
    await client.hears('sport', 1);

    const publish = await eventually('a producer', () => spansOf(publishing)[0]);
    const deliver = await eventually('a consumer', () => spansOf(delivering)[0]);
    expect(publish).toMatchObject({ name: 'publish sport', traceId: TRACE, parent: CALLER });
    expect(deliver).toMatchObject({
      name: 'deliver sport',
      traceId: TRACE,
      parent: publish.spanId,
      linked: [publish.spanId],
    });
    const [fields] = await entriesOf(prefix);
    expect(fields?.slice(-2)).toEqual(['w', `00-${TRACE}-${publish.spanId}-01`]);
    // Nobody hears it there.
    expect(spansOf(publishing).map(({ name }) => name)).toEqual(['publish sport']);
  });

  test('and one without: the trace goes on, and nothing is added where there is none', async () => {
    const prefix = `${uniquePrefix()}own:`;
    const signalbox = await start({ SIGNALBOX_NATIVE_PREFIX: prefix });
    const client = await subscribed(signalbox);
    const publisher = createPublisher({
      env: {},
      logger: false,
      config: { redis: { url: redisUrl() }, native: { prefix } },
    });
    ended.unshift(() => publisher.close());
    await publisher.publish('sport', 't', 1);
    await fetch(`http://127.0.0.1:${signalbox.port}/publish`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${API_KEY}`,
        'content-type': 'application/json',
        traceparent: `00-${TRACE}-${CALLER}-01`,
      },
      body: '[{"channel":"sport","data":2},{"channel":"sport","data":3}]',
    });
    expect(await client.hears('sport', 3)).toEqual([1, 2, 3]);
    const entries = await entriesOf(prefix);
    const names = entries.map((fields) => fields.filter((_, at) => at % 2 === 0).join(''));
    expect(names).toEqual(['ctdp', 'cdpw', 'cdpw']);
    expect(entries.slice(1).map((fields) => fields.at(-1))).toEqual([
      `00-${TRACE}-${CALLER}-01`,
      `00-${TRACE}-${CALLER}-01`,
    ]);
  });
});
