import type { z } from 'zod';
import { inputSchema, jsonAnswer, objectSchema, type Operation } from './operation.ts';

/** What may come of asking the application, beside its answer. */
export const ASK_PROBLEMS = [
  'bad_request',
  'no_handler',
  'too_large',
  'unsupported_media_type',
  'invalid',
  'internal',
  'unavailable',
  'timeout',
] as const;

export function askOperation(body: z.ZodType): Operation {
  return {
    id: 'ask',
    tag: 'clients',
    summary: 'Asks the application something.',
    description:
      'As the frame `ask` of a WebSocket. A request that is ended is given up. A user may have `limits.asksInFlight` of these under way.',
    security: ['token', 'ticket', 'ticketProtocol', 'cookie'],
    body: { required: true, schema: inputSchema(body) },
    answers: {
      200: jsonAnswer('Its answer.', objectSchema({ data: { description: 'Any JSON, as it was given.' } })),
    },
    problems: ASK_PROBLEMS,
  };
}
