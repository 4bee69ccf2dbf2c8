import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { addExactness, type Exactness, NOTHING_DUE } from './ledger.ts';
import type { DialectName } from './dialects.ts';
import type { LoadVerbs } from './load.ts';
import type { Placement } from './placement.ts';
import type { PublisherVerbs } from './publisher.ts';
import { type Remote, startRemote } from './remote.ts';
import { type Subject, startSubject, type SubjectName } from './subject.ts';
import type { Latency } from './summary.ts';

const SECRET = 'a-secret-of-the-benchmark-that-is-long-enough';
/** Longer than the longest blocking read of any server, which the sidecar's replays wait behind. */
const QUIET_MS = 6000;
/** A server that multiplies what it replays would take many minutes; what has not come by then is missing. */
const LIMIT_MS = 45_000;
const CONCURRENCY = 64;

export interface StageOptions {
  readonly subject: SubjectName;
  readonly redisUrl: string;
  readonly placement: Placement;
  readonly env?: Readonly<Record<string, string>>;
  readonly profileFolder?: string | undefined;
}

/** Events for one group of clients. */
export interface Flow {
  readonly group: string;
  readonly channels: number;
  readonly events: number;
  /** Events per second; 0: as fast as it goes. */
  readonly rate: number;
  readonly bytes?: number;
  readonly both?: boolean;
  /** On native channels, where the server has them. */
  readonly isNative?: boolean;
}

/** What was seen while one flow went through. */
export interface Passage {
  readonly exactness: Exactness;
  readonly deliveriesPerS: number;
  readonly cpuMs: number;
  readonly latency: Latency;
  /** How much of its processor the load took, until it had everything. */
  readonly loadBusyPercent: number;
}

/** A server, a publisher and a load, each a process of its own, with a stream prefix of their own. */
export class Stage {
  readonly server: Subject;
  readonly load: Remote<LoadVerbs>;
  readonly publisher: Remote<PublisherVerbs>;
  readonly #channels = new Map<string, number>();
  #exactness = NOTHING_DUE;

  private constructor(server: Subject, load: Remote<LoadVerbs>, publisher: Remote<PublisherVerbs>) {
    this.server = server;
    this.load = load;
    this.publisher = publisher;
  }

  static async open({ subject, redisUrl, placement, env = {}, profileFolder }: StageOptions): Promise<Stage> {
    const prefix = `bench-${randomUUID()}-`;
    const load = startRemote<LoadVerbs>('load.ts', placement.load);
    const publisher = startRemote<PublisherVerbs>('publisher.ts', placement.load);
    try {
      const server = await startSubject({
        name: subject,
        redisUrl,
        prefix,
        secret: SECRET,
        processors: placement.server,
        env,
        profileFolder,
      });
      try {
        await publisher.ask('connect', { url: server.inletUrl, prefix });
      } catch (error) {
        await server.stop();
        throw error;
      }
      return new Stage(server, load, publisher);
    } catch (error) {
      await Promise.all([load.stop(), publisher.stop()]);
      throw error;
    }
  }

  /** Everything that was due to anybody since the stage was opened. */
  get exactness(): Exactness {
    return this.#exactness;
  }

  /** Clients with their tokens, not connected. */
  async prepare(
    group: string,
    clients: number,
    channels: number,
    remembers = false,
    dialect: DialectName = this.server.dialect,
  ): Promise<void> {
    await this.load.ask('prepare', { group, clients, channels, dialect, secret: SECRET, remembers });
  }

  /** Connects them; how many ms it took. */
  async connect(group: string, concurrency = CONCURRENCY): Promise<number> {
    return this.load.ask('open', { group, port: this.server.port, concurrency });
  }

  async publish({ bytes = 250, both = false, isNative = false, ...flow }: Flow) {
    this.#channels.set(flow.group, Math.max(flow.channels, this.#channels.get(flow.group) ?? 0));
    return this.publisher.ask('publish', { bytes, both, isNative, ...flow });
  }

  /** Waits until a group has all, or nothing new comes; when the last one came, in µs. */
  async settle(group: string, total: number): Promise<number> {
    return this.load.ask('settle', { group, total, quietMs: QUIET_MS, limitMs: LIMIT_MS });
  }

  /** Closes the account of a group up to `total`. */
  async take(group: string, total: number): Promise<Exactness> {
    const exactness = await this.load.ask('take', { group, total });
    this.#exactness = addExactness(this.#exactness, exactness);
    return exactness;
  }

  /** Publishes, waits for everything to arrive, and says what it cost. */
  async pass(flow: Flow): Promise<Passage> {
    await this.load.ask('mark', undefined);
    const cpuBefore = await this.server.cpuMs();
    const { startUs, total } = await this.publish(flow);
    const endUs = await this.settle(flow.group, total);
    const cpuMs = (await this.server.cpuMs()) - cpuBefore;
    const exactness = await this.take(flow.group, total);
    const { live, busyPercent } = await this.load.ask('latency', undefined);
    return {
      exactness,
      deliveriesPerS: exactness.received / ((endUs - startUs) / 1e6),
      cpuMs,
      latency: live,
      loadBusyPercent: busyPercent,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.server.stop(), this.load.stop()]);
    for (const [group, channels] of this.#channels) {
      await this.publisher.ask('forget', { group, channels });
    }
    await this.publisher.stop();
    // The kernel is still busy with thousands of closed connections, which the next server must not pay for.
    await pause(300);
  }
}
