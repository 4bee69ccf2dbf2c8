/** What a server says of its place in replication, as far as the epoch depends on it. */
export interface Replication {
  /** Of the line of writes that this server continues; another after every restart and every promotion. */
  readonly id: string;
  /**
   * Whether the server continued, while it ran, a line of writes that it had got from another.
   *
   * That is what its second replication id says, with one exception: from Redis 7 a master that has loaded a
   * snapshot has one, too. Such a master's backlog begins where the snapshot ends; a replica's holds what it got
   * before it was promoted, or is none.
   */
  readonly isPromoted: boolean;
}

const NO_ID = /^0*$/;

/** Reads the section `replication` of INFO; undefined for a server that has no replication ids. */
export function replicationOf(info: string): Replication | undefined {
  const field = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';
  const id = field('master_replid').slice(0, 16);
  if (id === '') return undefined;
  const isContinuation = !NO_ID.test(field('master_replid2'));
  const wasLoaded =
    field('repl_backlog_active') === '1' &&
    field('repl_backlog_first_byte_offset') === field('second_repl_offset');
  return { id, isPromoted: isContinuation && !wasLoaded };
}
