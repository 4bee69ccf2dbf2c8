import { groups, leafAt } from '../config/leaf.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { suggestion } from '../config/suggestion.ts';

/** What an option has to be, in words, and whether something is. */
interface Kind {
  readonly expected: string;
  /** A text that came may be shown. */
  readonly isShown?: boolean;
  is(value: unknown): boolean;
}

/** By name, what the options of a maker have to be. */
export type Kinds<Options> = Readonly<Record<keyof Options & string, Kind>>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => isFunction(Reflect.get(value, name)));

export const text: Kind = { expected: 'a text', is: (value) => typeof value === 'string' };
export const object: Kind = { expected: 'an object', is: isObject };
export const aFunction: Kind = { expected: 'a function', is: isFunction };
export const handlers: Kind = {
  expected: 'an object with a function for each topic',
  is: (value) =>
    isObject(value) &&
    Object.values(value).every((handler: unknown) => handler === undefined || isFunction(handler)),
};
export const httpServer: Kind = {
  expected: 'a server that createServer of node:http or node:https made',
  is: (value) => hasMethods(value, ['on', 'off', 'listen', 'close', 'address']),
};
export const logTarget: Kind = {
  expected: 'a logger with debug, info, warn and error, or false',
  is: (value) => value === false || hasMethods(value, ['debug', 'info', 'warn', 'error']),
};

/**
 * What is wrong with options that no compiler has seen: a callback under another name would never be asked, and let
 * everybody in.
 */
export function optionProblems(options: object, kinds: Readonly<Record<string, Kind>>): ConfigProblem[] {
  if (!isObject(options))
    return [problem('options', kindOf(options), object.expected, 'Leave it out for the defaults.')];
  const names = Object.keys(kinds);
  const wrong = Object.entries(kinds).flatMap(([name, kind]) => {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined || kind.is(value)) return [];
    const got = kind.isShown === true && typeof value === 'string' ? JSON.stringify(value) : kindOf(value);
    return [problem(name, got, kind.expected, 'Correct it, or leave it out.')];
  });
  return [...wrong, ...unknownNames(options, names)];
}

/** An instance of a class of the program's may have whatever else it needs; what is written down for this may not. */
function unknownNames(options: object, names: readonly string[]): ConfigProblem[] {
  const prototype: unknown = Object.getPrototypeOf(options);
  if (prototype !== null && prototype !== Object.prototype) return [];
  return Object.keys(options)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = suggestion(name, names);
      const hint = meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`;
      const isKey = leafAt.has(name) || groups.has(name);
      return {
        code: 'unknown_key',
        key: name,
        source: 'the options',
        got: 'an option that there is not',
        expected: `one of ${names.join(', ')}`,
        advice: isKey ? `It is a key of the configuration: write config: { ${name}: … }.` : hint,
      };
    });
}

const kindOf = (value: unknown): string => (value === null ? 'null' : `a value of type ${typeof value}`);

const problem = (key: string, got: string, expected: string, advice: string): ConfigProblem => ({
  code: 'bad_value',
  key,
  source: 'the options',
  got,
  expected,
  advice,
});
