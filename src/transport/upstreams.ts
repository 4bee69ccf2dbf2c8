import { parseSsePosition } from '../protocol/native/sse-position.ts';
import type { Route } from '../routes/routes.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readUpstreamAddress } from '../upstream/address.ts';
import { createUpstream, type Upstream } from '../upstream/upstream.ts';
import type { AskUpstream } from './stream-routes.ts';

export interface UpstreamsDeps {
  readonly trustProxy: boolean;
  readonly maxBodyBytes: number;
  readonly logger: Logger;
  readonly limit: LogLimit;
}

/** The applications behind routes: one for each route that has one, made when it is first asked. */
export function createUpstreams(deps: UpstreamsDeps): { readonly ask: AskUpstream; close(): Promise<void> } {
  const made = new Map<Route, Upstream>();

  const upstreamOf = (route: Route): Upstream => {
    const known = made.get(route);
    if (known !== undefined) return known;
    const { settings, bufferBytes } = route;
    const address = readUpstreamAddress(settings.upstream);
    if (address === undefined)
      throw new Error('the upstream of a route is no address, which its check lets by');
    const { grip } = settings;
    const upstream = createUpstream({
      ...deps,
      address,
      channelHeader: settings.channelHeader,
      ...(Object.keys(settings.collect).length > 0 && { collect: settings.collect }),
      pull: settings.pull,
      ...(grip !== undefined && {
        grip: { key: grip.key || undefined, issuer: grip.issuer || undefined },
      }),
      channelCheck: (channel) => route.faultOf(channel),
      ...(settings.source === 'native' && { isPosition: (id) => parseSsePosition(id) !== undefined }),
      bufferSize: bufferBytes,
    });
    made.set(route, upstream);
    return upstream;
  };

  return {
    ask: (request, response, route, open) =>
      upstreamOf(route).handle(request, response, {
        openStream: (_, __, { channels, lastEventId, contentType, headers, prelude, keepAlive, fallback }) =>
          open({
            channels,
            headers: { ...headers, ...(contentType !== undefined && { 'content-type': contentType }) },
            prelude,
            ...(lastEventId !== undefined && { lastEventId }),
            ...(keepAlive !== undefined && { keepAlive }),
            ...(fallback !== undefined && { fallback }),
          }),
      }),
    async close() {
      await Promise.all([...made.values()].map((upstream) => upstream.close()));
    },
  };
}
