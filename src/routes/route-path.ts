import { type Either, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { RE2JS } from 're2js';

/** What a path of a request is compared with. */
export interface RoutePath {
  /** How many groups it captures. */
  readonly groups: number;
  /** The whole match and then each group, as they are in the path; a group that took no part is empty. */
  match(path: string): readonly string[] | undefined;
}

/**
 * Makes what paths are compared with of a regular expression, in RE2's syntax: a comparison takes time in proportion to
 * the path, whatever the expression is, so no client can hold up a server with a path.
 *
 * It begins at the beginning of the path, every alternative of it, and ends wherever it ends: `$` is for the writer to
 * add. Left is what is wrong with it.
 */
export function routePath(expression: string): Either<string, RoutePath> {
  if (!expression.startsWith('^/')) return left('it does not start with ^/');
  const compiled = tryCatch(
    () => RE2JS.compile(expression),
    (error) => (error as Error).message.replace(/^error parsing regexp: /, ''),
  );
  if (compiled._tag === 'Left') return compiled;
  const regex = compiled.right;
  const groups = regex.groupCount();
  return right({
    groups,
    match(path) {
      const matcher = regex.matcher(path);
      // Not `find`: the second alternative of ^/a|/b would begin anywhere.
      if (!matcher.lookingAt()) return undefined;
      return Array.from({ length: groups + 1 }, (_, group) => matcher.group(group) ?? '');
    },
  });
}
