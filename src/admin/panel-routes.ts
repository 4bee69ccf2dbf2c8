import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../transport/http-problem.ts';
import type { PageFile } from '../transport/page-file.ts';
import type { AdminAccess } from './admin-access.ts';
import { isSecure } from './login-routes.ts';
import { sendNotFound } from './not-found.ts';
import { readPanelFiles } from './panel-files.ts';

export interface PanelRoutesDeps {
  readonly access: AdminAccess;
  addressOf(request: FastifyRequest): string;
  readonly mode: 'development' | 'production';
}

const NOT_BUILT = 'The panel was not built: npm run build.';

/**
 * Adds the panel's page, at every address that it has, and its files. They tell nothing: what they show they ask for.
 * An address with `?token=`, as development mode prints it, logs in and loses it at once.
 */
export function addPanelRoutes(app: FastifyInstance, { access, addressOf, mode }: PanelRoutesDeps): void {
  const files = readPanelFiles();
  const send = (reply: FastifyReply, file: PageFile | undefined): FastifyReply => {
    if (files === undefined) return sendProblem(reply, 'unavailable', NOT_BUILT);
    if (file === undefined) return sendNotFound(reply);
    return reply.header('Content-Type', file.contentType).send(file.body);
  };

  app.get('/', (_request, reply) => reply.redirect('/inspect', 303));
  app.get<{ Params: { name: string } }>('/inspect/assets/:name', (request, reply) => {
    const file = files?.assets.get(request.params.name);
    // Its name changes with its content.
    if (file !== undefined) reply.header('Cache-Control', 'private, max-age=31536000, immutable');
    return send(reply, file);
  });
  for (const path of ['/inspect', '/inspect/*']) {
    app.get<{ Querystring: Record<string, string | string[] | undefined> }>(path, (request, reply) => {
      const { token } = request.query;
      // What is no question of the API is no page of the panel.
      if (request.url.startsWith('/inspect/api/')) return sendNotFound(reply);
      if (token === undefined) return send(reply, files?.page);
      const isKnown =
        mode === 'development' &&
        typeof token === 'string' &&
        access.judge(token, addressOf(request)) === 'right';
      if (isKnown) reply.header('Set-Cookie', access.login(isSecure(request)));
      return reply.redirect(withoutToken(request.url), 303);
    });
  }
}

function withoutToken(target: string): string {
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  searchParams.delete('token');
  const rest = searchParams.toString();
  // One slash at most: `//elsewhere` would be another host.
  return `${pathname.replace(/^\/+/, '/')}${rest === '' ? '' : `?${rest}`}`;
}
