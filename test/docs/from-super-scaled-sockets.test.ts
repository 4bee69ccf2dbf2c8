import { afterEach, describe, expect, test } from '@jest/globals';
import type { Contract, Signalbox } from '../../src/index.ts';
import { live } from '../library/program.ts';
import { claimsOf, testNames } from './claims.ts';
import { pageAt, rowsBelow } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const page = pageAt('docs/from-super-scaled-sockets.md');

/** Everything of theirs that can be called, set, sent or read, by the heading it is below. */
const API: Readonly<Record<string, readonly string[]>> = {
  'Options of the server': [
    'server(scaler, options)',
    'sessionParser',
    'subscriptionParser',
    'useHeartbeat',
    'hbInterval',
    'hbThreshold',
    'port',
    'safeMode',
    'isSlave',
  ],
  "The server's methods": [
    'connect(cb)',
    'onSocket(cb)',
    'broadcast(topic, msg)',
    'bootAll(channel, reason)',
    'publish(channel, topic, msg, cb)',
    'publishToMany(channels, topic, msg)',
    'onChannelOpen(cb)',
    'onChannelClose(cb)',
    'onSubscribe(cb)',
    'onUnsubscribe(cb)',
    'onPublish(cb)',
    'close(reason, update)',
    'locals',
  ],
  'A socket': [
    'publish(channel, topic, msg, cb)',
    'boot(reason)',
    'isSubscribed(name)',
    'onClose(cb)',
    'onAsk(topic, cb)',
    'onTell(topic, cb)',
    'tell(topic, msg)',
    'info.subs',
    'info.isAlive',
    'info.user',
    'info.session',
    'locals',
  ],
  'A channel': ['publish(topic, msg, cb)', 'sockets', 'name', 'locals'],
  'A publisher': [
    'publisher(scaler, cb)',
    'publish(channel, topic, msg, cb)',
    'broadcast(topic, msg)',
    'bootAll(channel, reason)',
  ],
  'Options of the client': [
    'client(url, options, cb)',
    'logReconnection',
    'retryAttempts',
    'retryInterval',
    'autoReconnect',
  ],
  "The client's methods": [
    'connect(cb)',
    'close()',
    'getStatus()',
    'onTell(topic, cb)',
    'onBroadcast(topic, cb)',
    'onError(cb)',
    'onReconnect(cb)',
    'onDrop(cb)',
    'onReconnectFail(cb)',
    'onBoot(cb)',
    'onStatusChange(cb)',
    'ask(topic, msg, cb)',
    'tell(topic, msg, cb)',
    'subscribe(channel, query, cb)',
  ],
  'A subscription': ['on(topic, cb)', 'unsubscribe()', 'getStatus()', 'onStatusChange(cb)', 'onError(cb)'],
  'Close codes': ['4000', '4001', '4100', '4999'],
  'The scaler': [
    'connect(mongo, redis, cb)',
    'subscribe',
    'unsubscribe',
    'onMessage',
    'onError',
    'publish',
    'publishToMany',
    'isSynced',
    'getLastId',
    'getSince',
    '_bc_',
  ],
};

/** Their codes with their numbers, likewise. */
const CODES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  client: {
    INIT: 0,
    STARTING: 1,
    START_RETRYING: 2,
    DROPPED_RETRYING: 3,
    START_FAILED: 4,
    RETRY_INTERVAL: 5,
    RECONNECT_FAILED: 6,
    READY: 7,
    SYNCING: 8,
    BEGINNING: 9,
    BOOTED: 10,
    CLOSED: 11,
  },
  subscription: {
    ACTIVE: 1,
    DROPPED: 2,
    SYNCING: 3,
    SYNC_FAILED: 4,
    UNSUBSCRIBED: 5,
    BOOTED: 6,
    CLOSED: 7,
    RECONNECT_FAILED: 8,
  },
  wire: {
    SUBSCRIBE: 1,
    UNSUBSCRIBE: 2,
    BEGIN: 3,
    SYNC: 4,
    ASK: 5,
    TELL: 6,
    RESPONSE: 7,
    FEED: 8,
    BOOT: 9,
    BOOTCHANNEL: 10,
    BROADCAST: 11,
    UPDATESUB: 12,
  },
};

const FAULTS = 15;
const first = (heading: string): string[] => rowsBelow(page, heading).map(([cell = '']) => cell);

describe('docs/from-super-scaled-sockets.md', () => {
  const claims = claimsOf(page);

  test('names a test in each of its rows, and each of these exists', () => {
    const tables = ['What it got wrong', 'Status codes', 'The wire', ...Object.keys(API)];
    const rows = tables.flatMap((heading) => rowsBelow(page, heading).slice(1));
    expect(claims).toHaveLength(rows.length);
    expect(claims.filter(({ file, name }) => !testNames(file).has(name))).toEqual([]);
  });

  test.each(Object.entries(API))('%s: has a row for everything of theirs', (heading, names) => {
    const cells = first(heading);
    expect(names.filter((name) => !cells.some((cell) => cell.includes(`\`${name}\``)))).toEqual([]);
  });

  test.each([
    ['client', 'Status codes', (cell: string) => !cell.startsWith('of a subscription')],
    ['subscription', 'Status codes', (cell: string) => cell.startsWith('of a subscription')],
    ['wire', 'The wire', () => true],
  ])('has a row for each code of %s', (kind, heading, isOf) => {
    const text = first(heading).filter(isOf).join('\n');
    const codes = Object.entries(CODES[kind] ?? {}).map(([name, number]) => `\`${name}\` ${number}`);
    expect(codes.length).toBeGreaterThan(7);
    expect(codes.filter((code) => !text.includes(code))).toEqual([]);
  });

  test('has a row for each fault', () => {
    const numbers = new Set(first('What it got wrong').map((cell) => cell.split(' ')[0]));
    const all = Array.from({ length: FAULTS }, (_, at) => `F3.${at + 1}`);
    expect(all.filter((number) => !numbers.has(number))).toEqual([]);
  });

  describe('its programs', () => {
    const stage = new Stage();

    afterEach(() => stage.end());

    test('do what theirs did, server and page', async () => {
      const { signalbox, likes } = await stage.run<{ signalbox: Signalbox<Contract>; likes: Set<unknown> }>(
        programBelow(page, 'The server'),
        ['signalbox', 'likes'],
      );
      stage.token = 'a-session-of-ann';
      await stage.run(programBelow(page, 'The page'));
      expect(stage.console[0]).toEqual([expect.any(Number)]);
      expect(likes).toEqual(new Set([7]));
      const [connection] = stage.connections as [(typeof stage.connections)[number]];
      const secret = connection.subscribe('private', { query: 'a guess' });
      await expect(live(secret)).rejects.toMatchObject({ code: 'forbidden' });
      const note = new Promise((resolve) => void connection.user.on('note', resolve));
      const article = new Promise((resolve) => void connection.on('last', resolve));
      await signalbox.publish('sport', 'article', { title: 'Lost' });
      await signalbox.publish('user:ann', 'note', 'for you');
      expect(await note).toBe('for you');
      await signalbox.broadcast('last');
      await article;
      expect(stage.console).toContainEqual([{ title: 'Lost' }, expect.stringMatching(/^\d+-\d+$/)]);
      expect(stage.console).toContainEqual(['for you']);
    });
  });
});
