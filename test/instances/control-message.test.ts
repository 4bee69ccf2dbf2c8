import { describe, expect, test } from '@jest/globals';
import {
  type ControlMessage,
  decodeControlMessage,
  encodeControlMessage,
  isWord,
  MAX_WORD_BYTES,
} from '../../src/instances/control-message.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';

const tell = { kind: 'tell', from: 'a', target: { user: 'bob@example.com' }, topic: 't' } as const;
const end = { kind: 'end', from: 'a', id: 'e1', target: { session: 'x' } } as const;
const sent = (message: object) => JSON.parse(JSON.stringify(encodeControlMessage(message as ControlMessage)));

describe('a message between instances', () => {
  test.each<ControlMessage>([
    tell,
    { ...tell, data: '{"n": 1.0}' as RawJson },
    { ...tell, target: { everyone: true } },
    { ...tell, target: { channel: 'user:bob%40example.com' } },
    { ...tell, target: { socket: 's-1' } },
    end,
    { ...end, word: 'signed out', revokedAtMs: 1_700_000_000_000 },
    { kind: 'ended', from: 'b', id: 'e1', closed: 3 },
    { kind: 'restored', from: 'b' },
  ])('is read as it was sent: %j', (message) => {
    expect(decodeControlMessage(sent(message))).toEqual(message);
  });

  test('of a kind or a version that is not known is for later ones', () => {
    expect(decodeControlMessage(sent({ kind: 'dance', with: 'b' }))).toBe('unknown');
    expect(decodeControlMessage({ ...sent(tell), version: 2, target: 'everybody' })).toBe('unknown');
  });

  test('may have fields that are not known yet', () => {
    expect(decodeControlMessage({ ...sent(tell), urgent: true })).toEqual(tell);
  });

  test.each([
    ['nothing', null],
    ['a text', 'tell'],
    ['no version', { ...tell }],
    ['nobody as its target', sent({ ...tell, target: {} })],
    ['two targets', sent({ ...tell, target: { user: '5', socket: 's' } })],
    ['a target that is not known', sent({ ...tell, target: { group: 'x' } })],
    ['not everyone', sent({ ...tell, target: { everyone: false } })],
    ['half a character as user', sent({ ...tell, target: { user: '\ud800' } })],
    ['a reserved topic', sent({ ...tell, topic: 'gap' })],
    ['data that is no JSON', sent({ ...tell, data: '{' })],
    ['data that is no text', sent({ ...tell, data: {} })],
    ['a word that is too long', sent({ ...end, word: 'x'.repeat(MAX_WORD_BYTES + 1) })],
    ['a count that is none', sent({ kind: 'ended', from: 'b', id: 'e1', closed: -1 })],
  ])('is none with %s', (_what, message) => {
    expect(decodeControlMessage(message)).toBe('malformed');
  });

  test('has a word of printable characters, as long as a close frame has room for', () => {
    for (const word of ['x'.repeat(MAX_WORD_BYTES), 'é', '👋']) expect(isWord(word)).toBe(true);
    const tooLong = ['x'.repeat(MAX_WORD_BYTES + 1), 'é'.repeat(62)];
    for (const word of ['', ...tooLong, 'a\n', '\ud800']) expect(isWord(word)).toBe(false);
  });
});
