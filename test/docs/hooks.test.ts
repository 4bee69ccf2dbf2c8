import { describe, expect, test } from '@jest/globals';
import { HOOK_NAMES, type HookName } from '../../src/config/schema/hooks.ts';
import { readAsk, readNotice, readSnapshot, readVerdict } from '../../src/decider/hook-answer.ts';
import { hookBody } from '../../src/decider/hook-request.ts';
import type { Peer } from '../../src/decider/decider.ts';
import { blocks, pageAt, rowsBelow } from './pages.ts';

const page = pageAt('docs/hooks.md');
const named = (cell = ''): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);

/** What a hook's answer with a status means, in the words of the table. */
const meaning = (hook: HookName, status: number): string => {
  const reply = { status, body: Buffer.from(status === 204 ? '' : '{"data":"given"}') };
  switch (hook) {
    case 'ask':
      return wordOf(readAsk(reply).result);
    case 'snapshot':
      return wordOf(readSnapshot(reply).result ?? 'none');
    case 'disconnect':
    case 'unsubscribe':
      return readNotice(reply).result === 'arrived' ? 'heard' : 'again';
    default:
      return wordOf(readVerdict(hook)(reply).result ?? 'allowed');
  }
};
const wordOf = (result: string | { code: string } | { data: string }): string => {
  if (typeof result === 'string') return result;
  if ('code' in result) return `\`${result.code}\``;
  return result.data === 'null' ? '`null`' : '`data`';
};

describe('docs/hooks.md', () => {
  test('lists every hook with what is its own in the example of its request', () => {
    const rows = rowsBelow(page, 'The hooks').slice(1);
    const requests = (blocks(page, 'json')[0] ?? '').trim().split('\n');
    expect(new Set(rows.map(([name]) => named(name)[0]))).toEqual(new Set(HOOK_NAMES));
    const optional = new Set(['query', 'data']);
    for (const text of requests) {
      const { hook, socket, principal, ...own } = JSON.parse(text) as Record<string, unknown>;
      const [, , members] = rows.find(([name]) => named(name)[0] === hook) ?? [];
      const [first, ...others] = named(members);
      const expected = first === 'request' ? [first] : [first, ...others];
      const given = Object.keys(own);
      expect(expected.filter((name) => !optional.has(name ?? '') || given.includes(name ?? ''))).toEqual(
        given,
      );
      // Made again out of its parts, it is the same.
      const { expiresAt, ...who } = principal as { expiresAt: number } & Record<string, unknown>;
      const peer = { socket, principal: { ...who, expiresAtMs: expiresAt } } as unknown as Peer;
      const raw = Object.fromEntries(
        [...optional].flatMap((name) => (name in own ? [[name, JSON.stringify(own[name])]] : [])),
      );
      expect(hookBody(hook as HookName, peer, { ...own, ...raw }).toString()).toBe(text);
    }
    expect(requests).toHaveLength(HOOK_NAMES.length);
  });

  test('says of every status what the code makes of it', () => {
    const [head = [], ...rows] = rowsBelow(page, 'What an answer means');
    const columns = head.slice(1).map(named) as HookName[][];
    expect(columns.flat().toSorted()).toEqual(HOOK_NAMES.toSorted());
    const said: string[] = [];
    const made: string[] = [];
    for (const [statuses = '', ...cells] of rows) {
      for (const status of statuses.match(/\b\d{3}\b/g) ?? []) {
        cells.forEach((cell, at) => {
          for (const hook of columns[at] ?? []) {
            said.push(`${status} to ${hook}: ${cell}`);
            made.push(`${status} to ${hook}: ${meaning(hook, Number(status))}`);
          }
        });
      }
    }
    expect(said.length).toBeGreaterThan(50);
    expect(made).toEqual(said);
  });
});
