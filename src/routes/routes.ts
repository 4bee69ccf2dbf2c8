import { isLeft } from 'fp-ts/lib/Either.js';
import { DEFAULT_BUFFER_BYTES } from '../config/schema/routes.ts';
import type { Config } from '../config/schema.ts';
import { type ChannelTemplate, channelTemplate } from './channel-template.ts';
import { isListed, type OwnNames, routeChannelFault } from './channel-rules.ts';
import { type RoutePath, routePath } from './route-path.ts';

type Settings = Config['routes'][number];

/** One route of the configuration, ready to be compared with requests. */
export interface Route {
  readonly settings: Settings;
  /** `bufferSize`, of which 0 means the default. */
  readonly bufferBytes: number;
  /**
   * Why this route may not give a channel, however it was named: by the configuration, by a path, or by an upstream.
   * Undefined: it may.
   */
  faultOf(channel: string): string | undefined;
}

/** What a request asks of a route. */
export interface RouteMatch {
  readonly route: Route;
  /** What is read, whether it may be or not; undefined: the upstream names it. */
  readonly channel: string | undefined;
  /** Why it may not be; undefined: it may, as far as the route goes. */
  readonly fault: string | undefined;
}

/** The routes of a server, in their order. */
export interface Routes {
  readonly all: readonly Route[];
  /** The first route whose path is that of a request target, which has been found to be one; undefined: none. */
  find(target: string): RouteMatch | undefined;
}

interface Compiled {
  readonly route: Route;
  readonly path: RoutePath;
  readonly template: ChannelTemplate | undefined;
}

/** Makes the routes of a configuration that has been checked; throws at what a check would have refused. */
export function createRoutes(
  config: Pick<Config, 'routes' | 'redisStreamPrefix' | 'realtimeChannelPrefix'> & {
    readonly native: Pick<Config['native'], 'prefix'>;
  },
): Routes {
  const own: OwnNames = {
    nativePrefix: config.native.prefix,
    streamPrefix: config.redisStreamPrefix,
    realtimePrefix: config.realtimeChannelPrefix,
  };
  const compiled = config.routes.map((settings) => compile(settings, own));
  return {
    all: compiled.map(({ route }) => route),
    find(target) {
      const path = target.split('?', 1)[0] as string;
      for (const one of compiled) {
        const captures = one.path.match(path);
        if (captures !== undefined) return matchOf(one, captures);
      }
      return undefined;
    },
  };
}

function compile(settings: Settings, own: OwnNames): Compiled {
  const path = routePath(settings.path);
  if (isLeft(path)) throw new Error(`the path of a route cannot be used: ${path.left}`);
  const template = settings.channel === '' ? undefined : channelTemplate(settings.channel);
  if (template !== undefined && isLeft(template)) {
    throw new Error(`the channel of a route cannot be used: ${template.left}`);
  }
  const route: Route = {
    settings,
    bufferBytes: settings.bufferSize === 0 ? DEFAULT_BUFFER_BYTES : settings.bufferSize,
    faultOf(channel) {
      const fault = routeChannelFault(channel, settings.source, own);
      if (fault !== undefined || settings.channels.length === 0) return fault;
      return isListed(settings.channels, channel) ? undefined : 'it is none of the channels of this route';
    },
  };
  return { route, path: path.right, template: template?.right };
}

function matchOf({ route, template }: Compiled, captures: readonly string[]): RouteMatch {
  if (template === undefined) return { route, channel: undefined, fault: undefined };
  const channel = template.channelOf(captures);
  if (channel === undefined) return { route, channel: '', fault: 'what the path captures is no text' };
  return { route, channel, fault: route.faultOf(channel) };
}
