import { z } from 'zod';
import { accessKeys } from './schema/access.ts';
import { adminKeys } from './schema/admin.ts';
import { eventKeys } from './schema/events.ts';
import { hookKeys } from './schema/hooks.ts';
import { nativeKeys } from './schema/native.ts';
import { redisKeys } from './schema/redis.ts';
import { routeKeys } from './schema/routes.ts';
import { serverKeys } from './schema/server.ts';
import { socketKeys } from './schema/sockets.ts';
import { telemetryKeys } from './schema/telemetry.ts';

/** The keys by subject, in the order in which they are documented. */
export const sections = {
  Server: serverKeys,
  Access: accessKeys,
  Redis: redisKeys,
  Events: eventKeys,
  Sockets: socketKeys,
  'Native protocol': nativeKeys,
  Hooks: hookKeys,
  Routes: routeKeys,
  'Logs and metrics': telemetryKeys,
  'Panel and metrics listener': adminKeys,
};

/**
 * Everything that can be configured: the one place for names, types, defaults, environment variables and words.
 * Messages, `--print-config`, `docs/configuration.md` and `config.schema.json` are made from it.
 */
export const configSchema = z.strictObject({
  ...serverKeys,
  ...accessKeys,
  ...redisKeys,
  ...eventKeys,
  ...socketKeys,
  ...nativeKeys,
  ...hookKeys,
  ...routeKeys,
  ...telemetryKeys,
  ...adminKeys,
});

export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** A valid configuration; deep-frozen. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
