import { z } from 'zod';
import type { KeyMeta } from './schema/key.ts';
import { configSchema } from './schema.ts';

/** The part of a JSON schema that a key's type can have here. */
export interface LeafType {
  readonly type: 'integer' | 'boolean' | 'string' | 'array' | 'object';
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly items?: LeafType;
  /** What is taken beside a number: `auto`. */
  readonly words?: readonly string[];
}

/** One key: its path (`redis.host`), its schema, its words, its type. */
export interface Leaf {
  readonly path: string;
  readonly schema: z.ZodType;
  readonly meta: KeyMeta;
  readonly type: LeafType;
}

interface JsonType extends Omit<LeafType, 'words'> {
  readonly const?: string;
  readonly anyOf?: readonly JsonType[];
}

/** A number or a word is a number that has words; no other choice of types is used. */
const typeOf = (schema: z.ZodType): LeafType => {
  const { anyOf, ...type } = z.toJSONSchema(schema, { io: 'input' }) as unknown as JsonType;
  if (anyOf === undefined) return type;
  const words = anyOf.flatMap((choice) => choice.const ?? []);
  return { ...type, ...anyOf.find((choice) => choice.const === undefined), words };
};

type Shape = Readonly<Record<string, z.ZodType>>;

/** The keys of a group such as `redis`, or undefined for a key proper. */
const shapeOf = (schema: z.ZodType): Shape | undefined => {
  const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
  return inner instanceof z.ZodObject ? inner.shape : undefined;
};

/** Every key under a shape, in its order. */
export const leavesOf = (shape: Shape, prefix = ''): readonly Leaf[] =>
  Object.entries(shape).flatMap(([name, schema]) => {
    const path = prefix + name;
    const inner = shapeOf(schema);
    if (inner !== undefined) return leavesOf(inner, `${path}.`);
    const meta = schema.meta() as KeyMeta | undefined;
    if (meta?.env === undefined) throw new Error(`no words for the key ${path}`);
    return [{ path, schema, meta, type: typeOf(schema) }];
  });

export const leaves: readonly Leaf[] = leavesOf(configSchema.shape);

export const leafAt: ReadonlyMap<string, Leaf> = new Map(leaves.map((leaf) => [leaf.path, leaf]));

/** The keys that have keys of their own: `redis`, `statsd` and so on. */
export const groups: ReadonlySet<string> = new Set(
  leaves.filter(({ path }) => path.includes('.')).map(({ path }) => path.slice(0, path.lastIndexOf('.'))),
);
