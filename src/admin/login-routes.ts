import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readBody } from '../transport/http-json.ts';
import type { AdminAccess } from './admin-access.ts';
import { refuseToken } from './wrong-token.ts';

export interface LoginRoutesDeps {
  readonly access: AdminAccess;
  addressOf(request: FastifyRequest): string;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly limit: LogLimit;
}

const loginBody = z.strictObject({ token: z.string().max(1000) });

/** Adds what the login form asks, and what ends a login. */
export function addLoginRoutes(
  app: FastifyInstance,
  { access, addressOf, logger, limit }: LoginRoutesDeps,
): void {
  app.post('/inspect/login', async (request, reply) => {
    const body = readBody(request, reply, loginBody);
    if (body === undefined) return reply;
    const address = addressOf(request);
    const judgement = access.judge(body.value.token, address);
    if (judgement !== 'right') {
      const detail = 'This is not the admin token.';
      return refuseToken(reply, { judgement, address, detail }, { logger, limit });
    }
    logger.info({ address }, 'Somebody logged in to the panel');
    return reply
      .code(204)
      .header('Set-Cookie', access.login(isSecure(request)))
      .send();
  });
  app.post('/inspect/logout', async (request, reply) =>
    reply
      .code(204)
      .header('Set-Cookie', access.logout(isSecure(request)))
      .send(),
  );
}

/** Behind a proxy that adds TLS, as the page itself was asked for. */
export const isSecure = ({ headers }: FastifyRequest): boolean =>
  headers.origin?.startsWith('https:') === true || headers['x-forwarded-proto'] === 'https';
