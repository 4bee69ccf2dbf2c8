import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CloseReason } from '../../machines/close-reason.ts';
import { groups, leafAt, leaves } from '../../src/config/leaf.ts';
import { supersetStreamsProtocol } from '../../src/protocol/superset/socket-protocol.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { blocks, named, pageAt, rowsBelow } from './pages.ts';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n');

const operations = pageAt('docs/operations.md');

describe('what the documentation names', () => {
  test('every SIGNALBOX_ variable is one', () => {
    const known = new Set(leaves.map(({ meta }) => meta.env));
    const variables = named(/\b(SIGNALBOX_[A-Z_]+)\b/g).filter(
      ({ name }) => name !== 'SIGNALBOX_' && name !== 'SIGNALBOX_CONFIG',
    );
    expect(variables.length).toBeGreaterThan(20);
    expect(variables.filter(({ name }) => !known.has(name))).toEqual([]);
  });

  test('every key of a group, and every one with a unit, is one', () => {
    const ofGroup = new RegExp(`\`((?:${[...groups].join('|')})\\.[A-Za-z]+)\``, 'g');
    const keys = [...named(ofGroup), ...named(/`([a-z][A-Za-z]*(?:Ms|Bytes))`/g)];
    expect(keys.length).toBeGreaterThan(30);
    expect(keys.filter(({ name }) => !leafAt.has(name))).toEqual([]);
  });

  test('every metric is one', () => {
    const metrics = named(/`(signalbox\.[a-z]+_[a-z_]+|ws_[a-z_]+)`/g);
    expect(metrics.length).toBeGreaterThan(20);
    expect(metrics.filter(({ name }) => !(name in METRICS))).toEqual([]);
  });

  test('every line of the log in the table of outages is one', () => {
    const seen = rowsBelow(operations, 'When something is wrong').map(([see = '']) => see);
    const lines = seen
      .filter((see) => see.includes('log `'))
      .flatMap((see) => [...see.matchAll(/(?:log|or) `([^`]+)`/g)].map(([, line = '']) => line));
    expect(lines.length).toBeGreaterThan(6);
    expect(lines.filter((line) => !sources.includes(line))).toEqual([]);
  });

  test('the close codes and texts are those of the protocol', () => {
    const { closeCode } = supersetStreamsProtocol({ onRepaired() {} });
    // Whoever is unresponsive, or never became a socket, is terminated without a close; `gone` is the client's own.
    const sent: CloseReason[] = ['too_slow', 'expired', 'drain', 'lossy', 'policy', 'failed'];
    const told = rowsBelow(operations, 'What clients are told')
      .filter(([, text]) => text?.startsWith('`'))
      .map(([code, text]) => `${code} ${text}`);
    expect(told.sort()).toEqual(
      sent.map((reason) => `${closeCode(reason).code} \`${closeCode(reason).text}\``).sort(),
    );
  });

  test('the rights in Redis are those that the broker says and its test has tried', () => {
    const broker = readFileSync('src/broker/redis/redis-broker.ts', 'utf8');
    const rows = rowsBelow(operations, 'Rights in Redis').slice(1);
    expect(rows.length).toBeGreaterThan(4);
    expect(rows.filter(([what, rights]) => !broker.includes(`| ${what} | ${rights} |`))).toEqual([]);
  });

  test('the user for the streams protocol has the rights of the first two rows', () => {
    const [, reading = [], epoch = []] = rowsBelow(operations, 'Rights in Redis');
    const wanted = `${reading[1]} ${epoch[1]}`.replaceAll('`', '').split(' ');
    const acl = blocks(operations, '').find((block) => block.startsWith('ACL SETUSER')) ?? '';
    const given = acl.replace('async-events-', '<s>').replace('signalbox:*', '<n>*').trim().split(' ');
    expect(given.slice(5).sort()).toEqual(wanted.sort());
  });
});
