import { message, publication } from '../publish-body.ts';
import {
  inputSchema,
  type JsonSchema,
  jsonAnswer,
  objectSchema,
  type Operation,
  type Parameter,
  streamIdSchema,
} from './operation.ts';

const SUPERSET_ID: JsonSchema = {
  ...streamIdSchema,
  description: "Where Superset's protocol is served from the embedded broker: its id in the log of that.",
};

const TRACEPARENT: Parameter = {
  name: 'traceparent',
  in: 'header',
  required: false,
  description:
    'W3C trace context: what is published carries it on, for those who trace. One that is malformed is none.',
  schema: { type: 'string' },
};

const published = objectSchema({ id: streamIdSchema, supersetId: SUPERSET_ID }, ['supersetId']);
const refused = objectSchema({ code: { const: 'unavailable' }, message: { type: 'string' } });
const PROBLEMS = ['bad_request', 'too_large', 'unsupported_media_type', 'invalid', 'unavailable'] as const;

/** Of one event, or of a list of at most `maxBatch`. */
export function publishOperation(maxBatch: number): Operation {
  const one = inputSchema(publication);
  return {
    id: 'publish',
    tag: 'publishing',
    summary: 'Publishes an event, or a list of events in order.',
    description:
      'Answered once the broker has it. After a 503 that says it is not known whether it was published, repeat it with the same `key`: it is published once.',
    security: ['apiKey', 'token', 'ticket'],
    parameters: [TRACEPARENT],
    body: {
      required: true,
      schema: { anyOf: [one, { type: 'array', items: one, minItems: 1, maxItems: maxBatch }] },
    },
    answers: {
      201: jsonAnswer('The broker has it: its id, or a list of the ids of a list.', {
        anyOf: [published, { type: 'array', items: published }],
      }),
      207: jsonAnswer('Of a list, the broker refused some.', {
        type: 'array',
        items: { anyOf: [published, refused] },
      }),
    },
    problems: PROBLEMS,
  };
}

export const messageOperation: Operation = {
  id: 'sendMessage',
  tag: 'publishing',
  summary: 'Publishes to the channel of a user, with the topic `message`.',
  security: ['apiKey'],
  parameters: [TRACEPARENT],
  body: { required: true, schema: inputSchema(message) },
  answers: {
    200: jsonAnswer(
      'The broker has it.',
      objectSchema({ status: { const: 'ok' }, id: streamIdSchema, supersetId: SUPERSET_ID }, ['supersetId']),
    ),
  },
  problems: PROBLEMS,
};
