import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';

/** A channel as a route writes it, with what the path captures in some places. */
export interface ChannelTemplate {
  /** The numbers of the groups that it uses; none: it is always the same channel. */
  readonly groups: readonly number[];
  /** The channel for what was captured: the whole match, then each group. Undefined: it is no text. */
  channelOf(captures: readonly string[]): string | undefined;
}

const PART = /\$(?:(\$)|(\d{1,2}))?/g;

/**
 * Reads a channel of a route: `$1` to `$99` stand for what the path's groups capture, `$$` for a dollar. A path is
 * compared as it was sent, and what it captures is decoded (`%2F` is `/`) for the name. Left is what is wrong.
 */
export function channelTemplate(text: string): Either<string, ChannelTemplate> {
  const parts: (string | number)[] = [];
  let from = 0;
  for (const { 0: whole, 1: dollar, 2: digits, index } of text.matchAll(PART)) {
    if (dollar === undefined && digits === undefined) {
      return left('a $ in it is neither $1 to $99 nor $$');
    }
    if (digits !== undefined && Number(digits) === 0) return left('groups are counted from $1');
    parts.push(text.slice(from, index), dollar ?? Number(digits));
    from = index + whole.length;
  }
  parts.push(text.slice(from));
  const groups = parts.filter((part) => typeof part === 'number');
  return right({
    groups,
    channelOf(captures) {
      let channel = '';
      for (const part of parts) {
        const piece = typeof part === 'string' ? right(part) : decoded(captures[part] ?? '');
        if (isLeft(piece)) return undefined;
        channel += piece.right;
      }
      return channel;
    },
  });
}

const decoded = (text: string): Either<undefined, string> =>
  tryCatch(
    () => decodeURIComponent(text),
    () => undefined,
  );
