import type { FastifyInstance } from 'fastify';
import type { Operation } from './openapi/operation.ts';

/**
 * Who may ask something: `probe`: anybody, as often as he likes, as Superset's sidecar answered it; `open`: anybody;
 * `bearer`: whoever has an API key or a token; `cookie`: these, and whoever has a cookie; `stream`: as `cookie`, for what
 * stays open, of which connections are counted and not requests. It decides whether a request
 * is counted, who may keep the answer, and what pages of other origins are told.
 */
export type Access = 'probe' | 'open' | 'bearer' | 'cookie' | 'stream';

/** Whether pages of other origins may use it: what needs a credential, and nothing else. */
export const isShared = (access: Access): boolean => access === 'bearer' || takesCookie(access);

/** Whether a cookie may say who asks. */
export const takesCookie = (access: Access): boolean => access === 'cookie' || access === 'stream';

/** What a route says about itself, for all that is done at one place for all routes, and for its description. */
export interface RouteFacts {
  readonly access: Access;
  readonly operation: Operation;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    facts?: RouteFacts;
  }
}

/** A route that is served: its method, its path, and what it says about itself. */
export interface ServedRoute {
  readonly method: string;
  readonly path: string;
  readonly facts: RouteFacts;
}

/** Every route of an HTTP surface, by its path. */
export type Routes = ReadonlyMap<string, readonly ServedRoute[]>;

/** The options of a route that says what it is: the second argument of `app.get` and its like. */
export const route = (access: Access, operation: Operation) => ({
  config: { facts: { access, operation } },
});

/**
 * Gathers the routes that are added from now on, in all scopes. Throws at one that does not say what it is, because
 * nothing would know how to limit it, and the description of the surface would not have it.
 */
export function gatherRoutes(app: FastifyInstance): Routes {
  const routes = new Map<string, ServedRoute[]>();
  app.addHook('onRoute', ({ method, url: path, config }) => {
    for (const one of [method].flat()) {
      const facts = config?.facts;
      if (facts === undefined) {
        throw new Error(
          `${one} ${path} does not say what it is: give it route(access, operation), as its neighbours`,
        );
      }
      routes.set(path, [...(routes.get(path) ?? []), { method: one, path, facts }]);
    }
  });
  return routes;
}
