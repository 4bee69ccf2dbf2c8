import type { StreamId } from '../../event/stream-id.ts';
import { compareIds, laterId, nextId, streamId } from '../../event/stream-id.ts';
import { type Client, isReply } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import { msOfTime } from './reply.ts';
import { readStreamInfo } from './stream-info.ts';

/** How much of each stream an append leaves. */
export interface AppendLimits {
  readonly maxLength: number;
  readonly firehoseMaxLength: number;
  /** 0: never. */
  readonly channelExpirySeconds: number;
}

export type Append = (channel: string, payload: Buffer) => Promise<StreamId>;

/** Appends by the publish script: both streams in one step under one id. */
export function createScriptedAppend(link: Link, keys: Keys, limits: AppendLimits): Append {
  const { maxLength, firehoseMaxLength, channelExpirySeconds } = limits;
  return async (channel, payload) => {
    const key = keys.channel(channel);
    const id = await link.run((client) =>
      client.signalboxPublish(
        key,
        keys.firehose,
        payload,
        maxLength,
        firehoseMaxLength,
        channelExpirySeconds,
      ),
    );
    return id as StreamId;
  };
}

/** How often an id that another writer overtook is chosen anew. */
const ATTEMPTS = 5;
const OVERTAKEN = /equal or smaller than the target stream top item/;

/**
 * Appends where no script can reach both streams: on a Cluster with Superset's own prefix, which has no hash tag,
 * so that channels and firehose are on different servers.
 *
 * It is what Superset's publisher does, two XADDs, channel first, with one id chosen beforehand from both streams.
 * Appends of one process take turns, so they give one id; where another process comes between the two, the
 * firehose gives an id of its own, as it does for Superset's events, and that one is answered. A failure between
 * the two leaves the event in the channel only, and rejects: the publisher does not know that it was kept.
 */
export function createSeparateAppend(link: Link, keys: Keys, limits: AppendLimits): Append {
  let turn: Promise<unknown> = Promise.resolve();
  return (channel, payload) => {
    const append = async () => link.run((client) => appendTwice(client, keys.channel(channel), payload));
    const appended = turn.then(append, append);
    turn = appended.catch(() => {});
    return appended;
  };

  async function appendTwice(client: Client, key: string, payload: Buffer): Promise<StreamId> {
    for (let attempt = 1; ; attempt += 1) {
      const id = await chooseId(client, key);
      try {
        await client.xadd(key, 'MAXLEN', '~', limits.maxLength, id, 'data', payload);
        if (limits.channelExpirySeconds > 0) await client.expire(key, limits.channelExpirySeconds);
        return await appendToFirehose(client, id, payload);
      } catch (error) {
        if (attempt === ATTEMPTS || !isReply(error) || !OVERTAKEN.test(error.message)) throw error;
      }
    }
  }

  async function appendToFirehose(client: Client, id: StreamId, payload: Buffer): Promise<StreamId> {
    const add = (as: string) =>
      client.xadd(keys.firehose, 'MAXLEN', '~', limits.firehoseMaxLength, as, 'data', payload);
    try {
      return (await add(id)) as StreamId;
    } catch (error) {
      if (!isReply(error) || !OVERTAKEN.test(error.message)) throw error;
      return (await add('*')) as StreamId;
    }
  }

  async function chooseId(client: Client, key: string): Promise<StreamId> {
    const [time, ofChannel, ofFirehose] = await Promise.all([
      client.time(),
      lastIdOf(client, key),
      lastIdOf(client, keys.firehose),
    ]);
    const now = streamId(msOfTime(time), 0);
    const last = laterId(ofChannel, ofFirehose);
    return compareIds(now, last) > 0 ? now : nextId(last);
  }
}

/** The largest id a stream ever gave, `0-0` when there is no such stream. */
export async function lastIdOf(client: Client, key: string): Promise<StreamId> {
  return (await readStreamInfo(client, key)).lastId;
}
