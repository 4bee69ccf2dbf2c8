import { describe, expect, test } from '@jest/globals';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';
import type { Span } from '../../src/inspect/api.ts';
import { fateOf } from '../../src/journal/fate.ts';

const at = (ms: number): StreamId => streamId(ms, 0);
const joined: Span = { kind: 'joined', atMs: 0, cursor: at(10), isClaimed: true, isLive: false };
const fate = (spans: readonly Span[], ms: number, channelId?: StreamId) =>
  fateOf({ spans, forgottenTo: undefined }, { id: at(ms), channelId }).kind;

describe('the fate of an event', () => {
  const spans: readonly Span[] = [
    joined,
    { kind: 'replayed', atMs: 1, after: at(10), cursor: at(20) },
    { kind: 'live', atMs: 1, cursor: at(20) },
    { kind: 'paused', atMs: 2, cursor: at(30), reason: 'full' },
    { kind: 'gap', atMs: 3, after: at(30), to: at(40), reason: 'trimmed' },
    { kind: 'replayed', atMs: 3, after: at(40), cursor: at(50), read: { first: at(43), last: at(47) } },
    { kind: 'left', atMs: 4, cursor: at(50), reason: 'unsubscribed' },
  ];

  test.each([
    [10, 'before'],
    [11, 'replayed'],
    [20, 'replayed'],
    [21, 'live'],
    [30, 'live'],
    [31, 'gap'],
    [40, 'gap'],
    [42, 'lost'],
    [45, 'replayed'],
    [48, 'lost'],
    [51, 'left'],
  ] as const)('of id %d is %s', (ms, kind) => {
    expect(fate(spans, ms)).toBe(kind);
  });

  test('is that of its own life of the broker, whatever an event of another life with its id met', () => {
    const other: readonly Span[] = [
      { kind: 'joined', atMs: 0, cursor: at(100), isLive: true },
      { kind: 'paused', atMs: 1, cursor: at(200), reason: 'reset' },
      { kind: 'gap', atMs: 1, after: at(200), to: at(50), reason: 'epoch' },
      { kind: 'live', atMs: 1, cursor: at(50) },
      { kind: 'paused', atMs: 2, cursor: at(120), reason: 'full' },
    ];
    expect(fate(other, 110)).toBe('live');
    expect(fate(other, 150)).toBe('due');
  });

  test('is that it failed where the transport broke under what was queued last', () => {
    const broken: readonly Span[] = [
      { kind: 'joined', atMs: 0, cursor: at(10), isLive: true },
      { kind: 'paused', atMs: 1, cursor: at(30), reason: 'full' },
      { kind: 'paused', atMs: 1, cursor: at(20), reason: 'failed' },
    ];
    expect([fate(broken, 15), fate(broken, 25)]).toEqual(['live', 'failed']);
  });

  test('is known by its other id where it was sent under that', () => {
    const separate: readonly Span[] = [
      joined,
      { kind: 'replayed', atMs: 1, after: at(5), cursor: at(9), isOfChannel: true },
      { kind: 'replayed', atMs: 1, after: at(10), cursor: at(20) },
    ];
    // Within the slack of the position: sent although the client has it.
    expect(fate(separate, 10, at(8))).toBe('replayed');
    expect(fate(separate, 15, at(9))).toBe('replayed');
    expect(fate(separate, 15, at(14))).toBe('lost');
  });
});
