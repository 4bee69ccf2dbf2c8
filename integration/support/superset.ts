import { once } from 'node:events';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';
import { JWT_SECRET } from './signalbox.ts';

/** A message as Superset's browser client gets it. */
export interface Message {
  readonly id: string;
  readonly channel_id: string;
  readonly job_id: string;
}

/** Superset's Flask side: two independent XADDs for each event, the channel's own stream first. */
export class Publisher {
  readonly redis: Redis;
  readonly prefix: string;
  #count = 0;

  constructor(url: string, prefix: string) {
    this.redis = new Redis(url, { lazyConnect: true });
    this.redis.on('error', () => {});
    this.prefix = prefix;
  }

  /** Publishes one event and answers its job id. */
  async publish(channel: string, extra: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const job = `job-${this.#count++}`;
    const data = pythonJson({
      channel_id: channel,
      job_id: job,
      user_id: '1',
      status: 'done',
      errors: [],
      result_url: `/superset/explore_json/data/${job}`,
      ...extra,
    });
    await this.redis.xadd(`${this.prefix}${channel}`, 'MAXLEN', '~', 1000, '*', 'data', data);
    await this.redis.xadd(`${this.prefix}full`, 'MAXLEN', '~', 1_000_000, '*', 'data', data);
    return job;
  }

  /** Publishes `count` events, pipelined. */
  async publishMany(channel: string, count: number, extra: Readonly<Record<string, unknown>> = {}) {
    const jobs: Promise<string>[] = [];
    for (let at = 0; at < count; at += 1) jobs.push(this.publish(channel, extra));
    return Promise.all(jobs);
  }

  close(): void {
    this.redis.disconnect();
  }
}

/** JSON as Python writes it: a space after each comma and colon between values. */
function pythonJson(value: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(value).map(
    ([key, field]) => `${JSON.stringify(key)}: ${JSON.stringify(field)}`,
  );
  return `{${fields.join(', ')}}`;
}

export interface ClientOptions {
  readonly channel: string;
  readonly lastId?: string | undefined;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly cookieName?: string;
  readonly path?: string;
  readonly autoPong?: boolean;
}

/** A tab of Superset's: a socket, and what came over it. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(
    port: number,
    { channel, lastId, claims, cookieName, path = '/', autoPong = true }: ClientOptions,
  ) {
    const query = lastId === undefined ? '' : `?last_id=${lastId}`;
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}${query}`, {
      headers: { cookie: `${cookieName ?? 'async-token'}=${token({ channel, ...claims })}` },
      autoPong,
    });
    this.socket.on('message', (text: Buffer) => this.messages.push(JSON.parse(text.toString()) as Message));
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    this.socket.on('error', () => {});
  }

  /** Opens one and waits until it is open. */
  static async open(port: number, options: ClientOptions): Promise<Client> {
    const client = new Client(port, options);
    await Promise.race([
      once(client.socket, 'open'),
      once(client.socket, 'close').then(() => {
        throw new Error('the socket was refused');
      }),
    ]);
    return client;
  }

  get jobs(): string[] {
    return this.messages.map(({ job_id }) => job_id);
  }

  get lastId(): string | undefined {
    return this.messages.at(-1)?.id;
  }

  /** Waits until `count` messages have come. */
  async receives(count: number, timeoutMs = 10_000): Promise<void> {
    await eventually(
      `${count} messages, of which ${this.messages.length} came`,
      () => this.messages.length >= count,
      timeoutMs,
    );
  }

  async closes(): Promise<{ code: number; reason: string }> {
    await eventually('the socket closes', () => this.closed !== undefined);
    return this.closed as { code: number; reason: string };
  }

  drop(): void {
    this.socket.terminate();
  }
}

/** A token as Superset's Flask side signs them. */
export function token(claims: Readonly<Record<string, unknown>>, secret: string = JWT_SECRET): string {
  return jwt.sign(claims, secret, { noTimestamp: true });
}
