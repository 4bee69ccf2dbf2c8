import type { FastifyInstance } from 'fastify';
import type { Gathered } from '../inspect/api.ts';
import type { Installation } from '../inspect/installation.ts';
import { statelyFilter } from '../inspect/questions.ts';
import type { Stately, StatelyStatus } from '../inspect/stately.ts';
import { readBody } from '../transport/http-json.ts';
import { beginEventStream } from './event-stream.ts';
import { STATELY_PAGE, STATELY_SCRIPT, STATELY_STYLE } from './stately-page.ts';

export interface StatelyRoutesDeps {
  readonly installation: Pick<Installation, 'stately' | 'watch'>;
  readonly stately: Pick<Stately, 'dropped'>;
}

const API = '/inspect/api/stately';

/** Adds what switches Stately's inspector on and off, and the page that passes facts on to it. */
export function addStatelyRoutes(app: FastifyInstance, { installation, stately }: StatelyRoutesDeps): void {
  app.get(API, async () => summary(await installation.stately()));
  app.put(API, async (request, reply) => {
    const body = readBody(request, reply, statelyFilter);
    return body === undefined ? reply : summary(await installation.stately(body.value));
  });
  app.delete(API, async () => summary(await installation.stately(null)));
  app.get('/inspect/stately/events', (_request, reply) => {
    const stream = beginEventStream(reply, () => end());
    const end = installation.watch({ facts: true }, (fact) => {
      if (!stream.send(fact)) stately.dropped();
    });
  });
  app.get('/inspect/stately', (_request, reply) =>
    reply
      // It opens Stately's page and speaks to it, which another opener policy would forbid.
      .header('Cross-Origin-Opener-Policy', 'unsafe-none')
      .type('text/html; charset=utf-8')
      .send(STATELY_PAGE),
  );
  app.get('/inspect/stately/page.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(STATELY_SCRIPT),
  );
  app.get('/inspect/stately/page.css', (_request, reply) =>
    reply.type('text/css; charset=utf-8').send(STATELY_STYLE),
  );
}

/** One answer for all processes. */
function summary({ answers, unanswered }: Gathered<StatelyStatus>) {
  const filter = answers.find((one) => one.filter !== undefined)?.filter;
  const sum = (of: (status: StatelyStatus) => number): number =>
    answers.reduce((total, status) => total + of(status), 0);
  return {
    on: filter !== undefined,
    ...(filter !== undefined && { filter }),
    sent: sum(({ sent }) => sent),
    dropped: sum(({ dropped }) => dropped),
    unanswered,
  };
}
