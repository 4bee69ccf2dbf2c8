import type { Leaf, LeafType } from './leaf.ts';

const longest = 60;

const shorten = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/** A value as JSON, as much of it as fits in a line. */
export const shown = (value: unknown): string => shorten(JSON.stringify(value));

/** The kind of a JSON value, with its article. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
};

/** What came, in words; of a secret only its kind and its length. */
export const got = (leaf: Leaf, value: unknown): string => {
  if (leaf.meta.secret !== true) return shown(value);
  return typeof value === 'string' ? `a text of ${Buffer.byteLength(value)} bytes` : kindOf(value);
};

const range = ({ minimum, maximum }: LeafType): string => {
  const highest = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const lowest = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (lowest !== undefined && highest !== undefined) return ` from ${lowest} to ${highest}`;
  return lowest === undefined ? '' : `, ${lowest} or more`;
};

const orWords = ({ words = [] }: LeafType): string => words.map((word) => `, or ${word}`).join('');

const items = ({ enum: values, minLength }: LeafType): string => {
  if (values !== undefined) return ` out of ${values.join(', ')}`;
  return minLength !== undefined && minLength > 1 ? `, each of at least ${minLength} characters` : '';
};

/** What a key takes, in words: `a whole number of ms, 1 or more`. */
export const expected = ({ type, meta }: Leaf): string => {
  if (meta.expected !== undefined) return meta.expected;
  switch (type.type) {
    case 'object':
      return 'an object';
    case 'integer':
      return `a whole number${meta.unit === undefined ? '' : ` of ${meta.unit}`}${range(type)}${orWords(type)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      if (type.enum !== undefined) return `one of ${type.enum.join(', ')}`;
      return (type.minLength ?? 0) > 0 ? 'a text that is not empty' : 'a text';
    case 'array':
      return `a list${(type.minItems ?? 0) > 0 ? ' of at least one' : ''}${items(type.items ?? type)}`;
  }
};

/** The default, in words, for a person. */
export const defaultWords = ({ type, meta }: Leaf): string => {
  if (meta.defaultText !== undefined) return meta.defaultText;
  if (type.default === '') return 'empty';
  if (Array.isArray(type.default)) return type.default.length === 0 ? 'none' : type.default.join(', ');
  return String(type.default);
};

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };
const sizes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1 << 20,
  gib: 1 << 30,
};

/** `20s` where milliseconds are meant: the number to write instead. */
const inUnits = ({ meta }: Leaf, value: unknown): number | undefined => {
  if (typeof value !== 'string') return undefined;
  const [, digits, unit = ''] = /^\s*(\d+)\s*([a-z]+)\s*$/i.exec(value) ?? [];
  const factors = meta.unit === 'ms' ? durations : meta.unit === 'bytes' ? sizes : {};
  const factor = factors[unit.toLowerCase()];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
};

/** What to do about a bad value. */
export const advice = (leaf: Leaf, value: unknown): string => {
  const number = inUnits(leaf, value);
  if (number !== undefined) return `Write ${number}.`;
  return `Correct it, or remove it for the default: ${defaultWords(leaf)}.`;
};
