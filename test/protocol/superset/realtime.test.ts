import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { StreamId } from '../../../src/event/stream-id.ts';
import { isMalformed } from '../../../src/protocol/event-codec.ts';
import {
  createSupersetRealtime,
  EVERYONE,
  supersetRealtime,
} from '../../../src/protocol/superset/realtime.ts';
import { payloads, sentText } from '../../support/payloads.ts';

const ID = '5-0' as StreamId;
const channelsOf = (message: unknown) => supersetRealtime.channelsOf(Buffer.from(textOf(message)));
const sent = (message: unknown): string =>
  sentText(supersetRealtime.encode(ID, channelsOf(message) as string[], Buffer.from(textOf(message)), 0));
const textOf = (message: unknown): string =>
  typeof message === 'string' ? message : JSON.stringify(message);

describe("the codec of Superset's realtime messages", () => {
  const status = {
    topic: 'task.status',
    scope: 'tab',
    payload: { task_id: '7b0e', status: 'success' },
    routes: ['user:5:tabA'],
  };

  test('gives topic and payload, and keeps scope and routes on the server', () => {
    expect(channelsOf(status)).toEqual(['user:5:tabA']);
    expect(sent(status)).toBe('{"topic":"task.status","payload":{"task_id":"7b0e","status":"success"}}');
  });

  test('sends authenticated_global to everyone, once, whatever its routes', () => {
    expect(channelsOf({ topic: 'entity.changed', scope: 'authenticated_global', payload: 1 })).toBe(EVERYONE);
    expect(channelsOf({ ...status, scope: 'authenticated_global' })).toBe(EVERYONE);
  });

  test('one envelope routed to both `user:5` and `user:5:tabA` is one event of two channels', () => {
    expect(channelsOf({ ...status, routes: ['user:5', 'user:5:tabA', 'user:5'] })).toEqual([
      'user:5',
      'user:5:tabA',
    ]);
  });

  test('reaches nobody without routes', () => {
    const { routes: _none, ...rest } = status;
    expect(channelsOf(rest)).toEqual([]);
  });

  test('a route cannot name everyone', () => {
    expect(channelsOf({ ...status, routes: [EVERYONE, 'user:5'] })).toEqual(['user:5']);
  });

  test.each(['__proto__', 'constructor', 'toString'])('a route named %p is an ordinary one', (name) => {
    expect(channelsOf({ ...status, routes: [name] })).toEqual([name]);
  });

  test('leaves an absent payload out and keeps a null one', () => {
    expect(sent({ topic: 'x', scope: 's' })).toBe('{"topic":"x"}');
    expect(sent({ topic: 'x', scope: 's', payload: null })).toBe('{"topic":"x","payload":null}');
  });

  test('the payload is cut out byte for byte: large numbers, key order, spaces', () => {
    const payload = '{ "n": 12345678901234567890, "f": 1.0, "2": "}\\"]", "1": [ ] }';
    expect(sent(`{"payload" : ${payload} , "topic":"x","scope":"s"}`)).toBe(
      `{"topic":"x","payload":${payload}}`,
    );
  });

  test.each([
    ['no topic', { scope: 's' }],
    ['an empty topic', { topic: '', scope: 's' }],
    ['no scope', { topic: 't' }],
    ['a scope that is a list', { topic: 't', scope: ['authenticated_global'] }],
    ['routes that are a text', { topic: 't', scope: 's', routes: 'user:5' }],
    ['routes that are null', { topic: 't', scope: 's', routes: null }],
    ['an empty route', { topic: 't', scope: 's', routes: ['user:5', ''] }],
    ['a route that is a number', { topic: 't', scope: 's', routes: [5] }],
  ])('an envelope with %s is malformed', (_name, message) => {
    expect(channelsOf(message)).toEqual({ malformed: 'bad_envelope' });
  });

  test.each([
    ['not_json', '{'],
    ['not_object', '[]'],
    ['not_object', 'null'],
  ])('%s: %s', (reason, text) => {
    expect(channelsOf(text)).toEqual({ malformed: reason });
  });

  test('bytes that are not UTF-8 are replaced and counted', () => {
    let repaired = 0;
    const codec = createSupersetRealtime({ onRepaired: () => repaired++ });
    const payload = Buffer.from('{"topic":"t","scope":"s","payload":"\xff"}', 'latin1');
    expect(sentText(codec.encode(ID, [], payload, 0))).toBe('{"topic":"t","payload":"\ufffd"}');
    expect(repaired).toBe(1);
  });

  test('decoding never throws, and what is sent is UTF-8 JSON without routes, whatever the bytes', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const channels = supersetRealtime.channelsOf(payload);
        if (isMalformed(channels)) return;
        const text = supersetRealtime.encode(ID, channels, payload, 0);
        const message = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text as Buffer));
        expect(['topic', 'topic,payload']).toContain(Object.keys(message).join());
      }),
      { numRuns: 2000 },
    );
  });
});
