import { parseArgs } from 'node:util';
import { misuse } from './subcommand.ts';

/** What a command may be given beside its arguments; a text, a text any number of times, or nothing but its name. */
type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: true }>>;

type Value<O extends Options[string]> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? string[]
    : string;

/** What came; every option may have been left out. */
export interface Arguments<T extends Options> {
  readonly values: { readonly [Name in keyof T | 'config']?: Name extends keyof T ? Value<T[Name]> : string };
  readonly positionals: readonly string[];
}

/** What a value may be: as the rules of the protocol's fields say it. */
export interface ValueRule {
  /** In words, after "expected". */
  readonly expected: string;
  accepts(value: unknown): boolean;
}

const MAX_QUOTED_CHARACTERS = 60;

/** What came, short enough for a message. */
export const quoted = (value: string): string =>
  value.length > MAX_QUOTED_CHARACTERS
    ? `'${value.slice(0, MAX_QUOTED_CHARACTERS)}…' (${value.length} characters)`
    : `'${value}'`;

/** Reads a command's arguments, `--config` among them; throws what was not understood. */
export const readArguments = <T extends Options>(argv: readonly string[], options: T): Arguments<T> => {
  try {
    const config = { type: 'string' } as const;
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { config, ...options },
    }) as Arguments<T>;
  } catch (error) {
    // Node's sentence goes on about how to pass such an argument all the same.
    throw misuse((error as Error).message.split(/\. |\n/)[0] ?? '');
  }
};

/** A value that came for what is called `name`; throws when it is not as the rule says. */
export const checked = (name: string, value: string, rule: ValueRule): string => {
  if (!rule.accepts(value)) throw misuse(`${name} is ${quoted(value)}; expected ${rule.expected}`);
  return value;
};

/** The same for what may be left out. */
export const checkedIfGiven = (
  name: string,
  value: string | undefined,
  rule: ValueRule | undefined,
): string | undefined => (value === undefined || rule === undefined ? value : checked(name, value, rule));
