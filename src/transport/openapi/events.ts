import { type Operation, streamPositionSchema } from './operation.ts';

/** Of at most `maxChannels` channels. */
export function eventsOperation(maxChannels: number): Operation {
  return {
    id: 'streamEvents',
    tag: 'clients',
    summary: 'Events of native channels as they come, as Server-Sent Events.',
    description:
      'All channels of a stream have one cursor, the `id` of each event, which EventSource sends back as `Last-Event-ID`: what was missed comes first. What cannot be had now (a shutdown, a limit) is answered with a stream that says `retry` and ends, since EventSource gives up at any status but 200. After a ticket a cookie lets the client come back.',
    security: ['token', 'ticket', 'ticketProtocol', 'cookie'],
    parameters: [
      {
        name: 'channel',
        in: 'query',
        required: false,
        description: 'A channel; any number of them. Left out: those of the user and the session.',
        schema: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: maxChannels },
      },
      {
        name: 'query',
        in: 'query',
        required: false,
        description:
          'What is asked of a channel, for the application: JSON, as `query[<channel>]`. Without an application that decides or makes snapshots it means nothing.',
        style: 'deepObject',
        explode: true,
        schema: { type: 'object', additionalProperties: { type: 'string' } },
      },
      {
        name: 'lastEventId',
        in: 'query',
        required: false,
        description: 'A position, where the header cannot be given.',
        schema: streamPositionSchema,
      },
      {
        name: 'Last-Event-ID',
        in: 'header',
        required: false,
        description: 'The position. It wins over the parameter.',
        schema: streamPositionSchema,
      },
      {
        name: 'frames',
        in: 'query',
        required: false,
        description:
          '`signalbox.v1`: the data of each event is a frame of that protocol, for clients that speak it.',
        schema: { const: 'signalbox.v1' },
      },
    ],
    answers: {
      200: {
        description: 'A stream, which does not end by itself.',
        content: { 'text/event-stream': { type: 'string' } },
      },
    },
    problems: ['bad_request'],
  };
}
