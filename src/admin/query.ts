import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { sendProblem } from '../transport/http-problem.ts';

/** Names whose values are numbers, truths or lists; everything else in a query is a text. */
const NUMBERS = new Set(['minLagMs', 'minBufferedBytes', 'offset', 'limit']);
const TRUTHS = new Set(['isDescending']);
const LISTS = new Set(['state']);

/** Reads a query; undefined: it has been refused, with everything that is wrong with it. */
export function readQuery<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  schema: z.ZodType<T>,
): T | undefined {
  const parsed = schema.safeParse(valuesOf(request.query as Readonly<Record<string, unknown>>));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), message }));
  void sendProblem(reply, 'invalid', 'The query does not have the expected parameters.', problems);
  return undefined;
}

/** An empty parameter is none: a form sends all of its fields. */
function valuesOf(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return Object.fromEntries(given.map(([name, value]) => [name, valueOf(name, value)]));
}

function valueOf(name: string, value: unknown): unknown {
  if (LISTS.has(name)) return [value].flat().flatMap((text) => String(text).split(','));
  if (typeof value !== 'string') return value;
  if (NUMBERS.has(name)) return Number(value);
  if (TRUTHS.has(name)) return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}
