import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Chart, type LogLine, SOCKET_ACTIONS } from '../inspect/api.ts';
import type { Found, Installation } from '../inspect/installation.ts';
import { channelFilter, explainQuery, logSubject, socketFilter } from '../inspect/questions.ts';
import { isWord } from '../instances/control-message.ts';
import { readBody } from '../transport/http-json.ts';
import { sendProblem } from '../transport/http-problem.ts';
import { beginEventStream } from './event-stream.ts';
import { sendNotFound } from './not-found.ts';
import type { OverviewTicker } from './overview-ticker.ts';
import { readQuery } from './query.ts';

export interface InspectRoutesDeps {
  readonly installation: Installation;
  readonly ticker: Pick<OverviewTicker, 'add'>;
  readonly charts: ReadonlyMap<string, Chart>;
  /** Whether this process keeps what explain and the live log are made of. */
  readonly hasJournal: boolean;
  addressOf(request: FastifyRequest): string;
}

const API = '/inspect/api';
const NO_JOURNAL = 'The journal is off here, and nothing is known of what was: set inspect.journal.enabled.';
const UNANSWERED = 'No process that answered has it; some did not answer: ';

const actionBody = z.strictObject({
  /** What the client is told, where it is told anything. */
  word: z.string().refine(isWord, 'expected 1 to 123 bytes without control characters').optional(),
});
const action = z.enum(SOCKET_ACTIONS);

interface WithId {
  Params: { id: string };
}

/** Adds what the panel and the command line ask: see `src/inspect/api.ts` for each answer's form. */
export function addInspectRoutes(app: FastifyInstance, deps: InspectRoutesDeps): void {
  const { installation, charts, addressOf } = deps;
  app.get(`${API}/overview`, () => installation.overview());
  app.get(`${API}/overview/stream`, (_request, reply) => {
    const stream = beginEventStream(reply, () => leave());
    const leave = deps.ticker.add((overview) => stream.send(overview));
  });
  app.get(`${API}/sockets`, async (request, reply) => {
    const filter = readQuery(request, reply, socketFilter);
    return filter === undefined ? reply : installation.sockets(filter);
  });
  app.get<WithId>(`${API}/sockets/:id`, async ({ params }, reply) =>
    sendFound(reply, await installation.socket(params.id)),
  );
  app.get<WithId>(`${API}/sockets/:id/recording`, async ({ params }, reply) => {
    const found = await installation.recording(params.id);
    const name = params.id.replaceAll(/[^\w.-]/g, '_');
    reply.header('Content-Disposition', `attachment; filename="signalbox-${name}.json"`);
    return sendFound(reply, found);
  });
  app.post<{ Params: { id: string; action: string } }>(
    `${API}/sockets/:id/:action`,
    async (request, reply) => {
      const wanted = action.safeParse(request.params.action);
      if (!wanted.success) return sendNotFound(reply, `Expected one of ${SOCKET_ACTIONS.join(', ')}.`);
      const body = readBody(request, reply, actionBody);
      if (body === undefined) return reply;
      const by = addressOf(request);
      return sendFound(reply, await installation.act(request.params.id, wanted.data, by, body.value.word));
    },
  );
  app.get(`${API}/channels`, async (request, reply) => {
    const filter = readQuery(request, reply, channelFilter);
    return filter === undefined ? reply : installation.channels(filter);
  });
  app.get<{ Params: { feed: string; name: string } }>(`${API}/channels/:feed/:name`, ({ params }) =>
    installation.channel(params.feed, params.name),
  );
  app.get<WithId>(`${API}/readers/:id`, ({ params }) => installation.reader(params.id));
  app.get<{ Params: { name: string } }>(`${API}/machines/:name`, ({ params }, reply) => {
    const chart = charts.get(params.name);
    if (chart !== undefined) return reply.send(chart);
    return sendNotFound(reply, `Expected one of ${[...charts.keys()].join(', ')}.`);
  });
  app.get(`${API}/log`, (request, reply) => {
    if (!deps.hasJournal) return void sendProblem(reply, 'unavailable', NO_JOURNAL);
    const watched = readQuery(request, reply, logSubject);
    if (watched === undefined) return;
    let missed = 0;
    const stream = beginEventStream(reply, () => end());
    const end = installation.watch(watched, (line) => {
      const { dropped = 0 } = line as LogLine;
      const whole = missed === 0 ? line : { ...(line as LogLine), dropped: dropped + missed };
      missed = stream.send(whole) ? 0 : missed + dropped + 1;
    });
  });
  app.get('/inspect/explain', async (request, reply) => {
    if (!deps.hasJournal) return sendProblem(reply, 'unavailable', NO_JOURNAL);
    const query = readQuery(request, reply, explainQuery);
    return query === undefined ? reply : installation.explain(query);
  });
}

function sendFound<Answer>(reply: FastifyReply, { found, unanswered }: Found<Answer>): FastifyReply {
  if (found !== undefined) return reply.send(found);
  if (unanswered.length === 0) return sendNotFound(reply, 'No process has it, or keeps anything of it.');
  return sendProblem(reply, 'unavailable', `${UNANSWERED}${unanswered.join(', ')}.`);
}
