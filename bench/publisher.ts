import { httpInlet } from './inlets/http.ts';
import type { Inlet } from './inlets/inlet.ts';
import { redisInlet } from './inlets/redis.ts';
import { dealt } from './ledger.ts';
import { answer } from './remote.ts';
import { nowUs, stamp } from './stamp.ts';

/** Events on their way at most: a publisher that is ahead of who takes them would measure its own queue. */
const MAX_UNANSWERED = 2000;
const TICK_MS = 1;

interface PublishRequest {
  /** Events go to `<group>0`, `<group>1`, … in turn. */
  readonly group: string;
  readonly channels: number;
  readonly events: number;
  /** Events per second; 0: as fast as it goes. */
  readonly rate: number;
  /** The length of one payload. */
  readonly bytes: number;
  /** Also to the channel's own stream, which replays are read from; as Superset does. */
  readonly both: boolean;
  /** On native channels. */
  readonly isNative: boolean;
}

interface Published {
  readonly startUs: number;
  /** Of the group, since the process started. */
  readonly total: number;
}

let inlet: Inlet;
const totals = new Map<string, number>();

function payload(channel: string, sequence: number, bytes: number): string {
  const start =
    `{"channel_id": "${channel}", "job_id": "8a5f3c9e-6f1b-4a58-9d1c-${String(sequence).padStart(12, '0')}", ` +
    '"user_id": "1", "status": "done", "errors": [], "result_url": "';
  const end = `", ${stamp(sequence, nowUs())}`;
  return start + '/'.padEnd(bytes - start.length - end.length, 'x') + end;
}

function publishOne({ group, channels, bytes, both, isNative }: PublishRequest): void {
  const total = totals.get(group) ?? 0;
  const channel = total % channels;
  const channelName = `${group}${channel}`;
  totals.set(group, total + 1);
  const data = payload(channelName, dealt(total, channels, channel), bytes);
  inlet.send({ channelName, channel, data, both, isNative });
}

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, TICK_MS);
  });

const verbs = {
  /** To a Redis, or to a server that takes events by HTTP. */
  async connect({ url, prefix }: { url: string; prefix: string }): Promise<void> {
    const place = new URL(url);
    inlet = place.protocol === 'http:' ? await httpInlet(place) : await redisInlet(place, prefix);
  },

  /** Resolves when all of it is confirmed. */
  async publish(request: PublishRequest): Promise<Published> {
    const { group, events, rate } = request;
    const startUs = nowUs();
    let sent = 0;
    while (sent < events) {
      const due = rate === 0 ? events : Math.min(events, Math.floor(((nowUs() - startUs) / 1e6) * rate) + 1);
      for (; sent < due && inlet.unanswered < MAX_UNANSWERED; sent += 1) publishOne(request);
      inlet.flush();
      if (sent < due) await inlet.answered();
      else if (sent < events) await tick();
    }
    await inlet.answered();
    return { startUs, total: totals.get(group) ?? 0 };
  },

  async forget({ group, channels }: { group: string; channels: number }): Promise<void> {
    await inlet.forget(group, channels);
  },
};

export type PublisherVerbs = typeof verbs;

answer(verbs);
