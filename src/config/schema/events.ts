import { z } from 'zod';
import { key, notNegative, positive } from './key.ts';

/** What is read, what is kept and for how long. */
export const eventKeys = {
  superset: z
    .strictObject({
      protocol: key(z.enum(['streams', 'realtime', 'off']).default('streams'), {
        env: 'SIGNALBOX_SUPERSET_PROTOCOL',
        description:
          "Which of Superset's protocols is served: streams (1.0 to 6.x, global async queries), realtime (newer), or off. streams also runs on the memory broker: the development page speaks it.",
      }),
      replaySlackMs: key(notNegative.default(5000), {
        env: 'SIGNALBOX_SUPERSET_REPLAY_SLACK_MS',
        unit: 'ms',
        description:
          "How far a replay from a channel's own stream reaches back before last_id, because Superset gives an event two ids.",
      }),
    })
    .prefault({}),
  redisStreamPrefix: key(z.string().default('async-events-'), {
    env: 'REDIS_STREAM_PREFIX',
    description: "Before the names of Superset's streams: <prefix>full and <prefix><channel>.",
  }),
  redisStreamReadCount: key(positive.default(100), {
    env: 'REDIS_STREAM_READ_COUNT',
    unit: 'entries',
    description:
      'The most entries of one read, while it keeps up: what has fallen behind reads more at once.',
  }),
  redisStreamReadBlockMs: key(positive.default(5000), {
    env: 'REDIS_STREAM_READ_BLOCK_MS',
    unit: 'ms',
    description: 'How long a read waits for the next event. 0 is read as 30000.',
  }),
  readPauseMs: key(notNegative.max(1000).default(2), {
    env: 'SIGNALBOX_READ_PAUSE_MS',
    unit: 'ms',
    description:
      'Pause between reads while events come fast, so that batches grow: this long at 1,000 events a second, up to four times as long at 4,000. 0: none.',
  }),
  realtimeChannelPrefix: key(z.string().default(''), {
    env: 'REALTIME_CHANNEL_PREFIX',
    description: 'Before the name of the Pub/Sub channel of the realtime protocol: <prefix>realtime.',
  }),
  window: z
    .strictObject({
      maxEvents: key(positive.default(100_000), {
        env: 'SIGNALBOX_WINDOW_MAX_EVENTS',
        unit: 'events',
        description: 'The most events kept in memory for replay, over all channels.',
      }),
      maxBytes: key(positive.default(67_108_864), {
        env: 'SIGNALBOX_WINDOW_MAX_BYTES',
        unit: 'bytes',
        description: 'The most bytes they may take, overhead included.',
      }),
      maxAgeMs: key(positive.default(60_000), {
        env: 'SIGNALBOX_WINDOW_MAX_AGE_MS',
        unit: 'ms',
        description: 'How long one is kept.',
      }),
    })
    .prefault({}),
  history: z
    .strictObject({
      maxLength: key(positive.default(1000), {
        env: 'SIGNALBOX_HISTORY_MAX_LENGTH',
        unit: 'events',
        description: "How many events a channel's stream keeps in the broker, for what is published here.",
      }),
      maxAgeSeconds: key(positive.default(86_400), {
        env: 'SIGNALBOX_HISTORY_MAX_AGE_SECONDS',
        unit: 'seconds',
        description: "How long a channel's stream is kept after its last event.",
      }),
      firehoseMaxLength: key(positive.default(1_000_000), {
        env: 'SIGNALBOX_HISTORY_FIREHOSE_MAX_LENGTH',
        unit: 'events',
        description: 'How many events the stream of all channels keeps.',
      }),
    })
    .prefault({}),
};
