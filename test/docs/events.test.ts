import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { streamId } from '../../src/event/stream-id.ts';
import { sseProtocol } from '../../src/protocol/native/sse-rules.ts';
import { sseBlock } from '../../src/protocol/native/sse-text.ts';

const page = readFileSync('docs/protocol.md', 'utf8');
const [, section = ''] = page.split('## Server-Sent Events\n');
const [, example = ''] = /```eventstream\n([^]*?)```/.exec(section) ?? [];

describe('the section on Server-Sent Events', () => {
  test('shows a stream as it is written', () => {
    const { codec, pingText } = sseProtocol({ epoch: () => 'V1StGXR8', onRepaired() {} });
    const fields = ['c', 'sport', 't', 'article', 'd', '{"title":"Won"}'].map((text) => Buffer.from(text));
    const payload = codec.payloadOf({ id: streamId(1_792_000_000_000, 0), fields });
    const event = codec.encode(streamId(1_792_000_000_000, 0), 'sport', payload, 0);
    const written =
      sseBlock({ retry: 2157 }) +
      (Buffer.isBuffer(event) ? event.toString() : '') +
      pingText?.(streamId(1_792_000_000_001, 0));
    expect(example).toBe(written);
  });
});
