import { z } from 'zod';
import type { ProblemCode } from '../http-problem.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What can be presented; the document says how. */
export type SecurityName = 'apiKey' | 'token' | 'ticket' | 'ticketProtocol' | 'cookie';

/** What belongs together. */
export const TAGS = {
  publishing:
    "Needs an API key, or a token that may publish; in development mode this machine's own pages need neither.",
  clients: 'For clients of the native protocol.',
  control: 'Needs an API key: what is done to others.',
  probes: "As Superset's sidecar answers them.",
  page: 'What a browser is shown.',
  description: 'This document, and what may be asked where.',
} as const;

interface Header {
  readonly description: string;
  readonly schema: JsonSchema;
  /** Left out: it is always there. */
  readonly required?: false;
}

/** An answer that is no refusal. */
export interface Answer {
  readonly description: string;
  /** By media type; left out: no body. */
  readonly content?: Readonly<Record<string, JsonSchema>>;
  readonly headers?: Readonly<Record<string, Header>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  /** An object, a parameter for each of its keys: `name[key]=value`. */
  readonly style?: 'deepObject';
  readonly explode?: true;
  readonly schema: JsonSchema;
}

/**
 * What one method of one path does, as the description of the surface has it. What every route has is added to it:
 * HEAD beside GET, OPTIONS, the refusals that its access brings with it.
 */
export interface Operation {
  /** Of no other operation. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  /** Each of these is enough. Left out: nothing is needed. */
  readonly security?: readonly SecurityName[];
  readonly parameters?: readonly Parameter[];
  /** JSON. */
  readonly body?: { readonly required: boolean; readonly description?: string; readonly schema: JsonSchema };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals of its own. */
  readonly problems?: readonly ProblemCode[];
}

/** What a zod schema takes, as JSON Schema. What is checked by code only is left out, or said by `meta`. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

/** An object with these members and no others; `optional` ones may be left out. */
export function objectSchema(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** An answer with a JSON body. */
export const jsonAnswer = (description: string, schema: JsonSchema): Answer => ({
  description,
  content: { 'application/json': schema },
});

/** An answer with a body of another type. */
export const textAnswer = (description: string, type: string, schema: JsonSchema = {}): Answer => ({
  description,
  content: { [type]: { type: 'string', ...schema } },
});

/** The id of an event, or a position. */
/** `<epoch>.<id>`. */
export const streamPositionSchema: JsonSchema = {
  type: 'string',
  pattern: '^.*\\.\\d{1,20}-\\d{1,20}$',
  examples: ['V1StGXR8.1792000000000-0'],
};

export const streamIdSchema: JsonSchema = {
  type: 'string',
  pattern: '^\\d{1,20}-\\d{1,20}$',
  examples: ['1792000000000-0'],
};
