import { disconnectBody, tellBody } from '../control-body.ts';
import type { z } from 'zod';
import { ASK_PROBLEMS } from './asks.ts';
import { inputSchema, jsonAnswer, objectSchema, type Operation } from './operation.ts';

const PROBLEMS = ['bad_request', 'too_large', 'unsupported_media_type', 'invalid', 'unavailable'] as const;

export const tellOperation = (saying: z.ZodType): Operation => ({
  id: 'tell',
  tag: 'control',
  summary: 'Tells sockets of every instance something, best effort; or the application, as a client.',
  description:
    'With an API key, and exactly one of `user`, `session`, `socket`, `channel` and `everyone`. Answered once the broker has it; it is kept for nobody who is not there. With a token, a ticket or a cookie, and none of these, it is what the frame `tell` of a WebSocket is: the application is told.',
  security: ['apiKey', 'token', 'ticket', 'ticketProtocol', 'cookie'],
  body: { required: true, schema: { anyOf: [inputSchema(tellBody), inputSchema(saying)] } },
  answers: {
    200: jsonAnswer('The application has it.', objectSchema({ status: { const: 'ok' } })),
    202: jsonAnswer('It is on its way.', objectSchema({ status: { const: 'ok' } })),
  },
  problems: ASK_PROBLEMS,
});

export const disconnectOperation: Operation = {
  id: 'disconnect',
  tag: 'control',
  summary:
    'Ends sockets of every instance, for good; of a user or session, revokes the tokens issued until now.',
  description:
    'With exactly one of `user`, `session`, `socket` and `channel`. Answered once the living instances have answered, or had two seconds to.',
  security: ['apiKey'],
  body: { required: true, schema: inputSchema(disconnectBody) },
  answers: {
    200: jsonAnswer(
      'How many sockets were closed, and the instances that did not answer: they do it when they hear of it.',
      objectSchema({
        closed: { type: 'integer', minimum: 0 },
        unconfirmed: { type: 'array', items: { type: 'string' } },
      }),
    ),
  },
  problems: PROBLEMS,
};
