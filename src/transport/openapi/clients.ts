import { jsonAnswer, objectSchema, type Operation, streamIdSchema } from './operation.ts';

export const ticketOperation: Operation = {
  id: 'getTicket',
  tag: 'clients',
  summary: 'Exchanges a token for a ticket, which opens one connection.',
  description: 'No ticket is given for a ticket. About one a second for each user.',
  security: ['token', 'cookie'],
  body: {
    required: false,
    description: 'Not read. With a cookie the request must be application/json all the same.',
    schema: {},
  },
  answers: {
    201: jsonAnswer(
      'A ticket.',
      objectSchema({
        ticket: { type: 'string', description: 'A JWT.' },
        expiresAt: { type: 'integer', description: 'Milliseconds since 1970.' },
      }),
    ),
  },
  problems: ['unsupported_media_type', 'unavailable'],
};

const event = objectSchema({
  type: { const: 'event' },
  channel: { type: 'string' },
  topic: { type: 'string' },
  id: streamIdSchema,
  time: { type: 'integer', description: 'Milliseconds since 1970.' },
  data: { description: 'Any JSON, as it was published.' },
});

const gap = objectSchema({
  after: streamIdSchema,
  id: streamIdSchema,
  reason: { const: 'trimmed' },
});

/** Of at most `maxLimit` events, `defaultLimit` where it is not said. */
export function historyOperation(maxLimit: number, defaultLimit: number): Operation {
  return {
    id: 'getHistory',
    tag: 'clients',
    summary: 'Events of a channel that are still kept, oldest first.',
    description:
      'Needs what subscribing to the channel needs: its token, or the application, allows it, or it is its own.',
    security: ['token', 'ticket', 'ticketProtocol', 'cookie'],
    parameters: [
      {
        name: 'channel',
        in: 'query',
        required: true,
        description: 'Its name.',
        schema: { type: 'string', minLength: 1 },
      },
      {
        name: 'after',
        in: 'query',
        required: false,
        description: 'A position; left out: from the beginning.',
        schema: streamIdSchema,
      },
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'The most events to be answered.',
        schema: { type: 'integer', minimum: 1, maximum: maxLimit, default: defaultLimit },
      },
    ],
    answers: {
      200: jsonAnswer(
        'A part of the history.',
        objectSchema({
          events: { type: 'array', items: event },
          next: { ...streamIdSchema, description: 'What to give as `after` for the next part.' },
          gap: { anyOf: [gap, { type: 'null' }], description: 'Events in (after, id] are gone.' },
          epoch: { type: 'string' },
        }),
      ),
    },
    problems: ['bad_request', 'internal', 'unavailable'],
  };
}
