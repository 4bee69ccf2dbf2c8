import type { Result } from 'ioredis';
import { HEARTBEAT_SCRIPT, INSTANCES_SCRIPT } from './instance-scripts.ts';
import { NATIVE_PUBLISH_SCRIPT } from './native-publish-script.ts';
import { PUBLISH_SCRIPT } from './publish-script.ts';
import { REVOKE_SCRIPT } from './revoke-script.ts';

/** Every connection knows these, as commands of the client. */
export const SCRIPTS = {
  signalboxPublish: { numberOfKeys: 2, lua: PUBLISH_SCRIPT },
  signalboxPublishNative: { lua: NATIVE_PUBLISH_SCRIPT },
  signalboxHeartbeat: { numberOfKeys: 1, lua: HEARTBEAT_SCRIPT },
  signalboxInstances: { numberOfKeys: 1, lua: INSTANCES_SCRIPT, readOnly: true },
  signalboxRevoke: { numberOfKeys: 1, lua: REVOKE_SCRIPT },
};

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** See `PUBLISH_SCRIPT`. */
    signalboxPublish(
      channelKey: string,
      firehoseKey: string,
      payload: Buffer,
      maxLength: number,
      firehoseMaxLength: number,
      channelExpirySeconds: number,
    ): Result<string, Context>;
    /** See `NATIVE_PUBLISH_SCRIPT`: a number of keys, the keys, the arguments. */
    signalboxPublishNative(
      numberOfKeys: number,
      ...keysAndArguments: (string | Buffer | number)[]
    ): Result<(string | Error)[], Context>;
    /** See `HEARTBEAT_SCRIPT`. */
    signalboxHeartbeat(instancesKey: string, instance: string, ttlMs: number): Result<number, Context>;
    /** See `INSTANCES_SCRIPT`. */
    signalboxInstances(instancesKey: string): Result<string[], Context>;
    /** See `REVOKE_SCRIPT`. */
    signalboxRevoke(
      revokedKey: string,
      ttlMs: number,
      ...scoresAndMembers: (string | number)[]
    ): Result<number, Context>;
  }
}
