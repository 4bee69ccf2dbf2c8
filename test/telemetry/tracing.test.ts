import { afterEach, describe, expect, test } from '@jest/globals';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  ParentBasedSampler,
  AlwaysOnSampler,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { Contract } from '../../src/index.ts';
import { nativeFields } from '../../src/event/native-entry.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { createPublishing } from '../../src/publishing.ts';
import { createLogLimit } from '../../src/telemetry/log-limit.ts';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { type Started, startProgram } from '../library/program.ts';
import { RawClient } from '../library/raw-client.ts';
import { HeapClock } from '../support/heap-clock.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const GIVEN = `00-${TRACE}-${CALLER}-01`;
const SECRET = 'what nobody may see';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
  trace.disable();
  context.disable();
  propagation.disable();
});

/** Registers an SDK, as the program around a Signalbox does. */
function register(...processors: SpanProcessor[]): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new SimpleSpanProcessor(exporter), ...processors],
  });
  provider.register();
  ended.push(() => provider.shutdown());
  return exporter;
}

async function start(): Promise<
  Started<Contract> & { post(body: unknown, traceparent?: string): Promise<string> }
> {
  const started = await startProgram<Contract>();
  ended.unshift(() => started.stop());
  return {
    ...started,
    async post(body, traceparent) {
      const response = await fetch(`${started.url.replace('ws:', 'http:')}/publish`, {
        method: 'POST',
        headers: {
          authorization: 'Bearer ann',
          'content-type': 'application/json',
          ...(traceparent !== undefined && { traceparent }),
        },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(201);
      return ((await response.json()) as { id: string }).id;
    },
  };
}

async function subscribed(url: string, channel: string): Promise<RawClient> {
  const client = await RawClient.open(url);
  ended.unshift(() => client.socket.terminate());
  await client.ask({ type: 'subscribe', channel, ref: 'subscribe' });
  return client;
}

const named = (exporter: InMemorySpanExporter, name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name);

describe('with an SDK', () => {
  test("an event that is published over HTTP is followed to a WebSocket, in the caller's trace", async () => {
    const exporter = register();
    const { post, url } = await start();
    const client = await subscribed(url, 'sport');
    const id = await post({ channel: 'sport', topic: 't', data: SECRET }, GIVEN);
    const event = await client.heard(({ type }) => type === 'event');
    expect(event).toEqual({
      type: 'event',
      channel: 'sport',
      topic: 't',
      id,
      time: Number(id.split('-')[0]),
      data: SECRET,
    });

    const [publish] = named(exporter, 'publish sport');
    const [deliver] = named(exporter, 'deliver sport');
    expect(publish?.kind).toBe(SpanKind.PRODUCER);
    expect(publish?.spanContext().traceId).toBe(TRACE);
    expect(publish?.parentSpanContext?.spanId).toBe(CALLER);
    expect(publish?.attributes).toEqual({
      'messaging.system': 'signalbox',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'sport',
      'messaging.message.body.size': JSON.stringify(SECRET).length,
      'messaging.message.id': id,
    });
    expect(deliver?.kind).toBe(SpanKind.CONSUMER);
    expect(deliver?.spanContext().traceId).toBe(TRACE);
    expect(deliver?.parentSpanContext?.spanId).toBe(publish?.spanContext().spanId);
    expect(deliver?.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId }))).toEqual([
      { traceId: TRACE, spanId: publish?.spanContext().spanId },
    ]);
    expect(deliver?.attributes).toEqual({
      'messaging.system': 'signalbox',
      'messaging.operation.name': 'deliver',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'sport',
      'messaging.message.id': id,
      'signalbox.subscriptions': 1,
    });
  });

  test('its delivery is one span, however many sockets there are; none where nobody is', async () => {
    const exporter = register();
    const { post, url } = await start();
    const clients = await Promise.all(['sport', 'sport', 'sport'].map((channel) => subscribed(url, channel)));
    await post({ channel: 'quiet', data: 1 }, GIVEN);
    await post({ channel: 'sport', data: 2 }, GIVEN);
    for (const client of clients) await client.heard(({ type }) => type === 'event');
    expect(
      named(exporter, 'deliver sport').map(({ attributes }) => attributes['signalbox.subscriptions']),
    ).toEqual([3]);
    expect(named(exporter, 'publish quiet')).toHaveLength(1);
    expect(named(exporter, 'deliver quiet')).toEqual([]);
  });

  test('what a program publishes belongs to its active span', async () => {
    const exporter = register();
    const { signalbox, url } = await start();
    const client = await subscribed(url, 'sport');
    const outer = trace.getTracer('program').startSpan('work');
    await context.with(trace.setSpan(context.active(), outer), () => signalbox.publish('sport', 't', 1));
    outer.end();
    await client.heard(({ type }) => type === 'event');
    const [publish] = named(exporter, 'publish sport');
    const [deliver] = named(exporter, 'deliver sport');
    expect(publish?.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
    expect(deliver?.spanContext().traceId).toBe(outer.spanContext().traceId);
  });

  test('what a client publishes over its socket begins a trace', async () => {
    const exporter = register();
    const { url } = await start();
    const client = await subscribed(url, 'sport');
    await client.ask({ type: 'publish', channel: 'sport', topic: 't', data: 1, ref: 'publish' });
    await client.heard(({ type }) => type === 'event');
    const [publish] = named(exporter, 'publish sport');
    expect(publish?.parentSpanContext).toBeUndefined();
    expect(named(exporter, 'deliver sport')[0]?.spanContext().traceId).toBe(publish?.spanContext().traceId);
  });

  test('a list is published in one span, to which each of its events is linked', async () => {
    const exporter = register();
    const { post, url } = await start();
    const client = await subscribed(url, 'sport');
    await post(
      [1, 2, 3].map((data) => ({ channel: 'sport', data })),
      GIVEN,
    );
    await client.heard(({ data }) => data === 3);
    const [publish, ...others] = named(exporter, 'publish sport');
    expect(others).toEqual([]);
    expect(publish?.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    const linked = named(exporter, 'deliver sport').map(({ links }) => links[0]?.context.spanId);
    expect(linked).toEqual(Array.from({ length: 3 }, () => publish?.spanContext().spanId));
  });

  test('a caller who is not sampled is not recorded', async () => {
    const exporter = register();
    const { post, url } = await start();
    const client = await subscribed(url, 'sport');
    await post({ channel: 'sport', data: 1 }, GIVEN.replace(/1$/, '0'));
    await client.heard(({ type }) => type === 'event');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("names no user: a user's own channel is one of many", async () => {
    const exporter = register();
    const { signalbox, url } = await start();
    const client = await RawClient.open(url, 'ann');
    ended.unshift(() => client.socket.terminate());
    await signalbox.publish('user:ann', 't', 1);
    await client.heard(({ type }) => type === 'event');
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['deliver user:{id}', 'publish user:{id}']);
    expect(spans.map(({ attributes }) => attributes['messaging.destination.template'])).toEqual([
      'user:{id}',
      'user:{id}',
    ]);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('ann');
  });

  test('that throws stops no event', async () => {
    const processor: SpanProcessor = {
      onStart() {
        throw new Error('a bug of the processor');
      },
      onEnd() {
        throw new Error('another one');
      },
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    register(processor);
    const { post, url, signalbox } = await start();
    const client = await subscribed(url, 'sport');
    for (const data of [1, 2]) await post({ channel: 'sport', data }, GIVEN);
    await client.heard(({ data }) => data === 2);
    expect(signalbox.isReady()).toBe(true);
  });

  test('a publish that fails is an error', async () => {
    const exporter = register();
    const { publishing, broker } = published();
    broker.outage(true);
    const refused = publishing.forHttp([{ channel: 'sport', data: Buffer.from('1') }]);
    await expect(refused).rejects.toThrow('the memory broker is in an outage');
    const [span] = named(exporter, 'publish sport');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
    expect(span?.attributes).toMatchObject({ 'error.type': expect.stringMatching(/^[a-z]+$/) });
  });
});

/** Publishing to a log of which every entry can be seen. */
function published() {
  const clock = new HeapClock();
  const history = { maxLength: 10, maxAgeSeconds: 0, firehoseMaxLength: 10 };
  const broker = createMemoryBroker({ clock, history });
  let keys = 0;
  const publishing = createPublishing({
    log: broker.native,
    logger: { error() {}, warn() {}, info() {}, debug() {}, fatal() {} } as never,
    limit: createLogLimit({ now: clock.now }),
    tracing: createTracing(),
    newKey: () => `${keys++}`,
    mirror: undefined,
  });
  const fields = async () => {
    const { entries } = await broker.native.range('sport', ZERO_ID, undefined, 10);
    return entries.map((entry) => entry.fields.map(String));
  };
  return { broker, publishing, fields };
}

describe('without an SDK', () => {
  const data = Buffer.from('1');
  const plain = nativeFields('sport', undefined, data, ZERO_ID).map(String);

  test('nothing is added to an event', async () => {
    const { publishing, fields } = published();
    await publishing.forHttp([{ channel: 'sport', data }]);
    expect(await fields()).toEqual([plain]);
  });

  test("the caller's traceparent is carried as it came", async () => {
    const { publishing, fields } = published();
    await publishing.forHttp([{ channel: 'sport', data, traceparent: GIVEN }]);
    expect(await fields()).toEqual([[...plain, 'w', GIVEN]]);
  });

  test.each(['', 'nonsense', `${GIVEN}-more`])(
    "a caller's %j is none, and is not carried",
    async (traceparent) => {
      const { publishing, fields } = published();
      await publishing.forHttp([{ channel: 'sport', data, traceparent }]);
      expect(await fields()).toEqual([plain]);
    },
  );

  test('events reach their clients, with a traceparent and without', async () => {
    const { post, url } = await start();
    const client = await subscribed(url, 'sport');
    await post({ channel: 'sport', data: 1 }, GIVEN);
    await post({ channel: 'sport', data: 2 });
    await client.heard(({ data: value }) => value === 2);
    expect(client.frames.filter(({ type }) => type === 'event').map(({ data: value }) => value)).toEqual([
      1, 2,
    ]);
  });
});
