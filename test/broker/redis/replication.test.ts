import { describe, expect, test } from '@jest/globals';
import { replicationOf } from '../../../src/broker/redis/replication.ts';

const A = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const B = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
const NONE = '0'.repeat(40);

const info = (id: string, id2: string, offset: number, backlog: { active: 0 | 1; first: number }) =>
  [
    '# Replication',
    'role:master',
    `master_replid:${id}`,
    `master_replid2:${id2}`,
    'master_repl_offset:100',
    `second_repl_offset:${offset}`,
    `repl_backlog_active:${backlog.active}`,
    'repl_backlog_size:1048576',
    `repl_backlog_first_byte_offset:${backlog.first}`,
    '',
  ].join('\r\n');

describe('replication of a server', () => {
  test.each([
    ['was started with its append-only file', info(A, NONE, -1, { active: 0, first: 0 })],
    ['has replicas since it was started', info(A, NONE, -1, { active: 1, first: 1 })],
    ['has loaded a snapshot, whose end its backlog begins with', info(A, B, 51, { active: 1, first: 51 })],
  ])('is not promoted when it %s', (_, text) => {
    expect(replicationOf(text)).toEqual({ id: 'a'.repeat(16), isPromoted: false });
  });

  test.each([
    ['its backlog goes back to before that', info(A, B, 51, { active: 1, first: 15 })],
    ['its backlog has been filled since', info(A, B, 51, { active: 1, first: 5000 })],
    ['it has no backlog', info(A, B, 1, { active: 0, first: 0 })],
  ])('is promoted when it goes on with what it got from another: %s', (_, text) => {
    expect(replicationOf(text)).toEqual({ id: 'a'.repeat(16), isPromoted: true });
  });

  test('is not known where the server does not say', () => {
    expect(replicationOf('# Replication\r\nrole:master\r\n')).toBeUndefined();
  });
});
