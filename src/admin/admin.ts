import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createClientAddress } from '../transport/client-address.ts';
import { takeJson } from '../transport/http-json.ts';
import { isLoopbackHost } from '../transport/http-loopback.ts';
import { problemOf, sendProblem } from '../transport/http-problem.ts';
import { pageHeaders } from '../transport/page-file.ts';
import { AdminAccess, isOwnPage } from './admin-access.ts';
import { MAX_NAME_LENGTH } from '../inspect/questions.ts';
import { addInspectRoutes, type InspectRoutesDeps } from './inspect-routes.ts';
import { addLoginRoutes } from './login-routes.ts';
import { sendNotFound } from './not-found.ts';
import { addPanelRoutes } from './panel-routes.ts';
import { addStatelyRoutes, type StatelyRoutesDeps } from './stately-routes.ts';
import { refuseToken } from './wrong-token.ts';

export interface AdminDeps extends Omit<InspectRoutesDeps, 'addressOf'>, Pick<StatelyRoutesDeps, 'stately'> {
  readonly token: string;
  readonly mode: 'development' | 'production';
  readonly trustProxy: boolean;
  readonly now: () => number;
  readonly logger: Logger;
  readonly limit: LogLimit;
  /** What Prometheus is given. */
  scrape(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The listener for operators. */
export interface Admin {
  /** Resolves with where it listens; rejects when the port cannot be bound. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 16_384;

/** Nothing here is for everybody: without the token only the page with its login form is given. */
const HEADERS = {
  ...pageHeaders({ images: "'self' data:", forms: "'self'" }),
  'X-Content-Type-Options': 'nosniff',
};

/** Makes the panel, its API and `/metrics`, not yet listening. */
export async function createAdmin(deps: AdminDeps): Promise<Admin> {
  const { logger, limit, mode } = deps;
  const access = new AdminAccess({ token: deps.token, now: deps.now });
  const clientAddress = createClientAddress(deps.trustProxy);
  const addressOf = ({ raw }: FastifyRequest): string => clientAddress(raw);
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    // Names of channels are longer than what Fastify takes by itself.
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
    // A HEAD of a stream would have it begin and never answer.
    exposeHeadRoutes: false,
  });
  takeJson(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    // The token of development mode stands in the log: a page of elsewhere must not reach it by another name.
    if (mode === 'development' && !isLoopbackHost(request.headers.host)) {
      return sendProblem(reply, 'forbidden', 'Development mode answers to the names of this machine only.');
    }
    const isChange = request.method !== 'GET' && request.method !== 'HEAD';
    if (isChange && !isOwnPage(request.headers)) {
      return sendProblem(reply, 'forbidden', 'A change is taken from a page of this listener only.');
    }
    return undefined;
  });
  app.setNotFoundHandler((_request, reply) => sendNotFound(reply));
  app.setErrorHandler((error: unknown, _request, reply) => {
    const code = problemOf(error);
    if (code === 'internal') logger.error({ err: error }, 'A request to the admin listener failed');
    return sendProblem(reply, code);
  });
  addPanelRoutes(app, { access, addressOf, mode });
  addLoginRoutes(app, { access, addressOf, logger, limit });
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => requireAccess(request, reply));
    addMetricsRoute(scope, deps);
    addInspectRoutes(scope, { ...deps, addressOf });
    addStatelyRoutes(scope, deps);
  });
  await app.ready();
  return {
    async listen({ host: name, port: wanted }) {
      await app.listen({ host: name, port: wanted });
      const { address: host, port } = app.server.address() as AddressInfo;
      return { host, port };
    },
    async close() {
      await app.close();
    },
  };

  function requireAccess(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { headers } = request;
    const address = addressOf(request);
    const detail = 'The admin token is needed: log in, or send it as Bearer.';
    const judgement = access.judgeBearer(headers.authorization, address);
    if (judgement === 'right' || (judgement === undefined && access.isLoggedIn(headers))) return undefined;
    if (judgement === undefined) return sendProblem(reply, 'unauthorized', detail);
    return refuseToken(reply, { judgement, address, detail }, { logger, limit });
  }
}

function addMetricsRoute(
  app: FastifyInstance,
  { scrape, logger }: Pick<AdminDeps, 'scrape' | 'logger'>,
): void {
  app.get('/metrics', async (_request, reply) => {
    try {
      const { contentType, body } = await scrape();
      return await reply.header('Content-Type', contentType).send(body);
    } catch (error) {
      // A part of the figures would look like a fall.
      logger.warn({ err: error }, 'The metrics of all workers cannot be gathered');
      return sendProblem(reply, 'unavailable', 'The metrics of all workers cannot be gathered now.');
    }
  });
}
