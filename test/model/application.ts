import type { Answer, Decider, Peer, Refusal, Verdict } from '../../src/decider/decider.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import type { HeapClock } from '../support/heap-clock.ts';
import type { Random } from '../support/random.ts';

/** How long an answer may take. */
const SLOWEST_MS = 3_000;

/** An application that is slow, refuses and fails at random; and checks what it is told. */
export class Application {
  /** It answers at once from now on, and allows everything. */
  isHealed = false;
  /** What was not true of what it was told. */
  fault: string | undefined;
  readonly #random: Random;
  readonly #clock: () => HeapClock;
  /** The subscriptions of each socket that is there. */
  readonly #known = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();
  #snapshots = 0;

  constructor(random: Random, clock: () => HeapClock) {
    this.#random = random;
    this.#clock = clock;
  }

  /** How many sockets it believes to be connected. */
  get size(): number {
    return this.#known.size;
  }

  get decider(): Decider {
    return {
      subscribe: () => this.#subscribe(),
      snapshot: () => this.#snapshot(),
      connected: ({ socket }) => {
        if (this.#gone.has(socket)) this.#blame(`${socket} came after it had gone`);
        if (this.#known.has(socket)) this.#blame(`${socket} came twice`);
        this.#known.set(socket, new Set());
      },
      subscribed: (peer, { channel }) => {
        const channels = this.#channelsOf(peer);
        if (channels.has(channel)) this.#blame(`${channel} was subscribed twice`);
        channels.add(channel);
      },
      unsubscribed: (peer, channel) => {
        if (!this.#channelsOf(peer).delete(channel)) this.#blame(`${channel} ended, and had not begun`);
      },
      disconnected: ({ socket }) => {
        if (this.#gone.has(socket)) this.#blame(`${socket} went twice`);
        const left = this.#known.get(socket)?.size ?? 0;
        if (left > 0) this.#blame(`${socket} went with ${left} subscriptions`);
        this.#known.delete(socket);
        this.#gone.add(socket);
      },
    };
  }

  async #subscribe(): Promise<Verdict> {
    await this.#pause();
    return this.#failure();
  }

  async #snapshot(): Promise<Answer | Refusal | undefined> {
    await this.#pause();
    const failure = this.#failure();
    if (failure !== undefined) return failure;
    if (this.#random.chance(0.3)) return undefined;
    this.#snapshots += 1;
    return { data: JSON.stringify({ state: this.#snapshots }) as RawJson };
  }

  #failure(): Refusal | undefined {
    if (this.isHealed || this.#random.chance(0.7)) return undefined;
    return { code: this.#random.pick(['forbidden', 'unavailable'] as const) };
  }

  async #pause(): Promise<void> {
    if (this.isHealed || this.#random.chance(0.5)) return;
    const ms = this.#random.below(SLOWEST_MS);
    await new Promise<void>((resolve) => void this.#clock().setTimeout(resolve, ms));
  }

  #channelsOf({ socket }: Peer): Set<string> {
    const channels = this.#known.get(socket);
    if (channels === undefined) this.#blame(`${socket} is not connected`);
    return channels ?? new Set();
  }

  #blame(fault: string): void {
    this.fault ??= `the application was told wrong: ${fault}`;
  }
}
