import { describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { memberText } from '../../../src/protocol/json-text.ts';
import { decodeClientFrame } from '../../../src/protocol/native/client-codec.ts';
import { CLIENT_FIELDS } from '../../../src/protocol/native/client-fields.ts';
import type { ClientFrameType } from '../../../src/protocol/native/client-frame.ts';
import { CLOSES } from '../../../src/protocol/native/close-codes.ts';
import { ERRORS, protocolError } from '../../../src/protocol/native/error-codes.ts';
import { RESERVED_TOPICS, userChannel } from '../../../src/protocol/native/names.ts';
import { encodeServerFrame, SERVER_FIELDS } from '../../../src/protocol/native/server-codec.ts';
import type { ServerFrame, ServerFrameType } from '../../../src/protocol/native/server-frame.ts';
import { corsHeaders } from '../../../src/transport/cors.ts';
import { PROBLEMS } from '../../../src/transport/http-problem.ts';
import { blocks, pageAt, rowsBelow } from '../../docs/pages.ts';

const page = pageAt('docs/protocol.md');

/** The text below a heading of the second level. */
const chapter = (heading: string): string => {
  const [, text] = page.split(`\n## ${heading}\n`);
  if (text === undefined) throw new Error(`there is no chapter ${heading}`);
  return text.split('\n## ')[0] ?? '';
};

interface Section {
  readonly type: string;
  readonly frames: readonly string[];
  readonly fields: readonly (readonly string[])[];
}

/** What a chapter says of each frame. */
const sectionsOf = (heading: string): readonly Section[] =>
  chapter(heading)
    .split('\n### ')
    .slice(1)
    .map((text) => {
      const title = text.slice(0, text.indexOf('\n'));
      return {
        type: title.replaceAll('`', ''),
        frames: linesOf(blocks(text, 'json')),
        fields: rowsBelow(`### ${text}`, title).slice(1),
      };
    });

const linesOf = (found: readonly string[]): string[] => found.flatMap((block) => block.trim().split('\n'));

const fromClient = sectionsOf('What a client says');
const fromServer = sectionsOf('What the server says');
const conversation = linesOf(blocks(page, 'text'));

const membersOf = (text: string) => JSON.parse(text) as Record<string, unknown>;
const named = (section: Section): string[] => section.fields.map(([name = '']) => name.replaceAll('`', ''));
const optionalOf = (section: Section): string[] =>
  section.fields.filter(([, may]) => may === 'optional').map(([name = '']) => name.replaceAll('`', ''));

/** Through the codec and back; what is the application's, as it stands there. */
const encodedAgain = (text: string): string => {
  const data = memberText(Buffer.from(text), 'data')?.toString();
  const frame = { ...membersOf(text), ...(data !== undefined && { data }) };
  return encodeServerFrame(frame as unknown as ServerFrame);
};

const isUnderstood = (text: string, type: string): boolean => {
  const frame = decodeClientFrame(text);
  return Either.isRight(frame) && frame.right.type === type;
};

describe('docs/protocol.md', () => {
  test('has a section for every frame, and no other', () => {
    expect(fromClient.map(({ type }) => type)).toEqual(Object.keys(CLIENT_FIELDS));
    expect(fromServer.map(({ type }) => type)).toEqual(Object.keys(SERVER_FIELDS));
  });

  describe.each(fromClient)('the frame $type of a client', (section) => {
    const { type, frames } = section;
    const rules = CLIENT_FIELDS[type as ClientFrameType];

    test.each(frames)('%s is understood', (text) => {
      expect(isUnderstood(text, type)).toBe(true);
      expect(Object.keys(membersOf(text)).filter((name) => name !== 'type' && !(name in rules))).toEqual([]);
    });

    test('has these fields, of which these may be left out', () => {
      expect(named(section)).toEqual(Object.keys(rules));
      expect(optionalOf(section)).toEqual(named(section).filter((name) => rules[name]?.optional === true));
    });

    test('is shown with every field, and without whatever may be left out', () => {
      const shown = frames.map((text) => Object.keys(membersOf(text)));
      expect([...new Set(shown.flat())].sort()).toEqual(['type', ...named(section)].sort());
      for (const name of optionalOf(section)) expect(shown.some((names) => !names.includes(name))).toBe(true);
      const required = named(section).filter((name) => !optionalOf(section).includes(name));
      for (const name of required) {
        const { [name]: _, ...without } = membersOf(frames[0] ?? '');
        expect(isUnderstood(JSON.stringify(without), type)).toBe(false);
      }
    });
  });

  describe.each(fromServer)('the frame $type of the server', (section) => {
    const { type, frames } = section;

    test.each(frames)('%s is what the codec writes', (text) => {
      expect(membersOf(text)['type']).toBe(type);
      expect(encodedAgain(text)).toBe(text);
    });

    test('has these fields, each of which is shown', () => {
      expect(named(section)).toEqual([...SERVER_FIELDS[type as ServerFrameType]]);
      const shown = new Set(frames.flatMap((text) => Object.keys(membersOf(text))));
      expect([...shown].sort()).toEqual(['type', ...named(section)].sort());
    });
  });

  test('has a conversation of frames that both sides understand', () => {
    expect(conversation.length).toBeGreaterThan(8);
    for (const line of conversation) {
      const text = line.slice(2);
      const isFine = line.startsWith('→ ')
        ? isUnderstood(text, membersOf(text)['type'] as string)
        : `← ${encodedAgain(text)}` === line;
      expect([line, isFine]).toEqual([line, true]);
    }
  });

  test('has every error code with what to do and its sentence, and no other', () => {
    expect(rowsBelow(page, 'Errors').slice(1)).toEqual(
      Object.entries(ERRORS).map(([code, { retry, sentence }]) => [`\`${code}\``, retry, sentence]),
    );
    const shown = fromServer.find(({ type }) => type === 'error')?.frames ?? [];
    for (const { code, message } of shown.map(membersOf) as unknown as ReturnType<typeof protocolError>[]) {
      expect(message).toBe(protocolError(code).message);
    }
  });

  test('has every close code with its reason, what to do and its sentence, and no other', () => {
    expect(rowsBelow(page, 'Close codes').slice(1)).toEqual(
      Object.entries(CLOSES).map(([code, { reason, reconnect, sentence }]) => [
        code,
        reason === '' ? '' : `\`${reason}\``,
        reconnect,
        sentence,
      ]),
    );
  });

  test('has every problem of HTTP with its status and its sentence, and no other', () => {
    expect(rowsBelow(page, 'Problems').slice(1)).toEqual(
      Object.entries(PROBLEMS).map(([code, { status, detail }]) => [`\`${code}\``, `${status}`, detail]),
    );
  });

  test('says what is allowed to pages of other origins as the code does', () => {
    expect(page).toContain('with the headers `Authorization`, `Content-Type` and `Last-Event-ID`');
    expect(
      corsHeaders({ origin: 'https://a', access: 'cookie', preflight: ['GET'] }, ['https://a'])[
        'Access-Control-Allow-Headers'
      ],
    ).toBe('Authorization, Content-Type, Last-Event-ID');
  });

  test('names the reserved topics, and a user’s channel as it is', () => {
    expect(chapter('Names').replaceAll('\n', ' ')).toContain(
      RESERVED_TOPICS.map((topic) => `\`${topic}\``).join(', '),
    );
    expect(chapter('Names')).toContain(userChannel('bob@example.com'));
  });
});
