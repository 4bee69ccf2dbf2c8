import jwt from 'jsonwebtoken';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { PageDeps } from '../transport/page.ts';
import { createDemoPublisher, DEMO_CHANNEL } from './publisher.ts';

export interface DemoDeps {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  publish(channel: string, payload: Buffer): Promise<unknown>;
  /** Whether a socket is on the channel. */
  isWatched(channel: string): boolean;
}

/** What the first page shows: its token, and events to watch. */
export function createDemo({ config, logger, clock, publish, isWatched }: DemoDeps): {
  readonly page: PageDeps;
  close(): void;
} {
  const publisher = createDemoPublisher({ logger, clock, publish, isWatched: () => isWatched(DEMO_CHANNEL) });
  const claims = { [config.jwtChannelIdKey]: DEMO_CHANNEL };
  return {
    page: {
      token: () => ({
        cookieName: config.jwtCookieName,
        token: jwt.sign(claims, config.jwtSecret, { algorithm: 'HS256' }),
      }),
      opened: () => publisher.opened(),
    },
    close: () => publisher.close(),
  };
}
