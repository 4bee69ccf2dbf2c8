import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import { createSignalbox, type Signalbox } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

let instances: readonly [Signalbox, Signalbox];
let urls: readonly string[];
const sources: EventSource[] = [];

beforeAll(async () => {
  const prefix = uniquePrefix();
  const make = (): Signalbox =>
    createSignalbox({
      env: {},
      config: {
        broker: 'redis',
        jwtSecret: 'a secret of the tests, long enough to be one',
        redis: { url: redisUrl() },
        native: { prefix },
        host: '127.0.0.1',
        port: 0,
        drainMs: 0,
        superset: { protocol: 'off' },
      },
      logger: false,
      authenticate: () => ({ user: 'ann', channels: ['*'] }),
    });
  instances = [make(), make()];
  const addresses = await Promise.all(instances.map((instance) => instance.start()));
  urls = addresses.map(({ port }) => `http://127.0.0.1:${port}`);
  await eventually('ready', () => instances.every((instance) => instance.isReady()));
});

afterAll(async () => {
  for (const source of sources) source.close();
  await Promise.all(instances.map((instance) => instance.stop()));
});

/** A stream of one instance, and what it has heard. */
function open(instance: number, query: string) {
  const source = new EventSource(`${urls[instance]}/events${query}`);
  sources.push(source);
  const heard: MessageEvent[] = [];
  for (const topic of ['n', 'gap']) source.addEventListener(topic, (event) => void heard.push(event));
  return { source, heard };
}

const said = (heard: readonly MessageEvent[]): unknown[] =>
  heard.map(({ type, data }) => (type === 'n' ? JSON.parse(data) : type));

describe('streams of several Signalboxes of one Redis', () => {
  test('a stream that is cut on one goes on exactly on the other, with what was published by either', async () => {
    const [one, other] = instances;
    const first = open(0, '?channel=a&channel=b');
    await eventually('open', () => first.source.readyState === EventSource.OPEN);
    await one.publish('a', 'n', 0);
    await other.publish('b', 'n', 1);
    await eventually('two are heard', () => first.heard.length === 2);
    first.source.close();
    for (let n = 2; n < 100; n += 1)
      await instances[n % 2 === 0 ? 0 : 1].publish(n % 3 === 0 ? 'a' : 'b', 'n', n);
    const second = open(1, `?channel=a&channel=b&lastEventId=${first.heard.at(-1)?.lastEventId}`);
    await eventually('what was missed is heard', () => said(second.heard).includes(99));
    await one.publish('a', 'n', 100);
    await eventually('what is new is heard', () => said(second.heard).includes(100));
    expect(said([...first.heard, ...second.heard])).toEqual(Array.from({ length: 101 }, (_, n) => n));
  });
});
