import { connect, type Socket } from 'node:net';
import { dealt } from './ledger.ts';
import { answer } from './remote.ts';
import { nowUs, stamp } from './stamp.ts';

/** As Superset caps its streams. */
const FIREHOSE_LENGTH = '1000000';
const CHANNEL_LENGTH = '1000';
/** Commands on their way at most: a publisher that is ahead of Redis would measure its own queue. */
const MAX_UNANSWERED = 2000;
const TICK_MS = 1;

interface PublishRequest {
  readonly prefix: string;
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
}

interface Published {
  readonly startUs: number;
  /** Of the group, since the process started. */
  readonly total: number;
}

let redis: Socket;
let unanswered = 0;
let refusal: string | undefined;
let waiting: (() => void)[] = [];
const totals = new Map<string, number>();

const command = (...args: readonly string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;

function send(...args: readonly string[]): void {
  unanswered += 1;
  redis.write(command(...args));
}

/** Every answer here is one line, or a length and one line without a `$`, a `+`, a `:` or a `-` at its start. */
function heard(text: string): void {
  unanswered -= text.match(/[$+:]/g)?.length ?? 0;
  if (text.startsWith('-')) refusal = text;
  if (unanswered > 0 && refusal === undefined) return;
  const woken = waiting;
  waiting = [];
  for (const wake of woken) wake();
}

async function answered(): Promise<void> {
  while (unanswered > 0 && refusal === undefined) {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  if (refusal !== undefined) throw new Error(`Redis refused: ${refusal}`);
}

function payload(channel: string, sequence: number, bytes: number): string {
  const start =
    `{"channel_id": "${channel}", "job_id": "8a5f3c9e-6f1b-4a58-9d1c-${String(sequence).padStart(12, '0')}", ` +
    '"user_id": "1", "status": "done", "errors": [], "result_url": "';
  const end = `", ${stamp(sequence, nowUs())}`;
  return start + '/'.padEnd(bytes - start.length - end.length, 'x') + end;
}

function publishOne({ prefix, group, channels, bytes, both }: PublishRequest): void {
  const total = totals.get(group) ?? 0;
  const index = total % channels;
  const channel = `${group}${index}`;
  const data = payload(channel, dealt(total, channels, index), bytes);
  totals.set(group, total + 1);
  if (both) send('XADD', `${prefix}${channel}`, 'MAXLEN', '~', CHANNEL_LENGTH, '*', 'data', data);
  send('XADD', `${prefix}full`, 'MAXLEN', '~', FIREHOSE_LENGTH, '*', 'data', data);
}

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, TICK_MS);
  });

const verbs = {
  async connect({ url }: { url: string }): Promise<void> {
    const { hostname, port, username, password } = new URL(url);
    redis = connect(Number(port || 6379), hostname);
    redis.setEncoding('latin1');
    redis.on('data', heard);
    if (password !== '') send('AUTH', ...(username === '' ? [] : [username]), password);
    send('PING');
    await answered();
  },

  /** Resolves when Redis has confirmed all of it. */
  async publish(request: PublishRequest): Promise<Published> {
    const { group, events, rate } = request;
    const startUs = nowUs();
    let sent = 0;
    while (sent < events) {
      const due = rate === 0 ? events : Math.min(events, Math.floor(((nowUs() - startUs) / 1e6) * rate) + 1);
      redis.cork();
      for (; sent < due && unanswered < MAX_UNANSWERED; sent += 1) publishOne(request);
      redis.uncork();
      if (sent < due) await answered();
      else if (sent < events) await tick();
    }
    await answered();
    return { startUs, total: totals.get(group) ?? 0 };
  },

  async forget({
    prefix,
    group,
    channels,
  }: {
    prefix: string;
    group: string;
    channels: number;
  }): Promise<void> {
    send('UNLINK', `${prefix}full`);
    for (let at = 0; at < channels; at += 1) send('UNLINK', `${prefix}${group}${at}`);
    await answered();
  },
};

export type PublisherVerbs = typeof verbs;

answer(verbs);
