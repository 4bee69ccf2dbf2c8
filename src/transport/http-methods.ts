import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { corsHeaders } from './cors.ts';
import { sendProblem } from './http-problem.ts';
import { isShared, type RouteFacts, type Routes, route } from './http-route.ts';

const PRIVATE = {
  'Cache-Control': 'private, no-store',
  Vary: 'Accept, Origin, Cookie, Authorization',
};

/**
 * Says on every answer of a route, refusals included, who may keep it and whose pages may read it: what depends on
 * who asks is kept by nobody in between.
 */
export function setSharing(
  request: FastifyRequest,
  reply: FastifyReply,
  { access }: RouteFacts,
  allowedOrigins: readonly string[],
): void {
  if (!isShared(access)) return;
  reply.headers({ ...PRIVATE, ...corsHeaders({ origin: request.headers.origin, access }, allowedOrigins) });
}

/** Has every path answer OPTIONS. To be called after all routes have been added. */
export function addOptions(app: FastifyInstance, routes: Routes, allowedOrigins: readonly string[]): void {
  for (const [path, [first]] of routes) {
    if (first === undefined) continue;
    const { access, operation } = first.facts;
    app.options(path, route(access, operation), (request, reply) => {
      const methods = methodsOf(routes, path);
      if (isShared(access)) {
        const asked = { origin: request.headers.origin, access, preflight: methods };
        reply.headers({ Vary: 'Origin', ...corsHeaders(asked, allowedOrigins) });
      }
      return reply.code(204).header('Allow', methods.join(', ')).send();
    });
  }
}

/**
 * Refuses a method that a known path does not have, with those that it has. False: the path is not known, or is a
 * probe's, which answers everything else as Superset's sidecar does.
 */
export function refuseMethod(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: Routes,
  allowedOrigins: readonly string[],
): boolean {
  const path = request.url.split('?', 1)[0] as string;
  const [first] = routes.get(path) ?? [];
  if (first === undefined || first.facts.access === 'probe') return false;
  setSharing(request, reply, first.facts, allowedOrigins);
  const methods = methodsOf(routes, path);
  reply.header('Allow', methods.join(', '));
  void sendProblem(reply, 'method_not_allowed', `Expected ${methods.join(', ')}.`);
  return true;
}

function methodsOf(routes: Routes, path: string): string[] {
  return (routes.get(path) ?? []).map(({ method }) => method);
}
