import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../../test/support/random.ts';

/** How a line ends: for both ends at once, unnoticed by one of them or by both, or within a frame. */
const ENDINGS = ['cut', 'unheardByClient', 'unheardByServer', 'unheard', 'withinFrame'] as const;
type Ending = (typeof ENDINGS)[number];

export interface RoughLinesOptions {
  /** Where each next connection goes, in turn. */
  readonly ports: readonly number[];
  readonly random: Random;
  /** A line lasts as long as `pick` says, until `mend`. */
  readonly lifetimeMs: { readonly least: number; readonly most: number };
  readonly delayMs: { readonly least: number; readonly most: number };
  /** Of how many packets one is held up for `stallMs`, and all behind it. */
  readonly stallOneOf: number;
  readonly stallMs: number;
}

/** Lines as they are out of doors: slow, uneven, and ended in every way there is. */
export interface RoughLines {
  readonly port: number;
  /** Of lines that had carried something. */
  readonly ended: Readonly<Record<Ending, number>>;
  readonly stalls: number;
  /** From here on no line ends or stalls by itself, and those that are half open are ended. */
  mend(): void;
  stop(): void;
}

/** Passes on what one end says, late, and in order. */
class Direction {
  /** Nothing is passed on any more. */
  isDead = false;
  /** The next packet is the last, and not whole. */
  isLast = false;
  readonly #waiting: { readonly packet: Buffer; readonly dueMs: number }[] = [];
  #lastDueMs = 0;
  readonly #to: Socket;
  readonly #options: RoughLinesOptions;
  readonly #stall: () => boolean;
  readonly #onLast: () => void;

  /** `stall`: whether the next packet is held up. */
  constructor(
    from: Socket,
    to: Socket,
    options: RoughLinesOptions,
    stall: () => boolean,
    onLast: () => void,
  ) {
    this.#to = to;
    this.#options = options;
    this.#stall = stall;
    this.#onLast = onLast;
    from.on('data', (packet: Buffer) => {
      this.#waiting.push({ packet, dueMs: this.#dueMs() });
      // Timers of different lengths keep no order: only the first that waits has one.
      if (this.#waiting.length === 1) this.#passLater();
    });
  }

  #dueMs(): number {
    const { random, delayMs, stallMs } = this.#options;
    const stalledMs = this.#stall() ? stallMs : 0;
    const delay = delayMs.least + random.next() * (delayMs.most - delayMs.least) + stalledMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + delay);
    return this.#lastDueMs;
  }

  #passLater(): void {
    const first = this.#waiting[0];
    if (first === undefined) return;
    setTimeout(
      () => {
        this.#pass(first.packet);
        this.#waiting.shift();
        this.#passLater();
      },
      Math.max(0, first.dueMs - performance.now()),
    );
  }

  #pass(packet: Buffer): void {
    if (this.isDead || this.#to.destroyed) return;
    if (!this.isLast || packet.length < 2) {
      this.#to.write(packet);
      return;
    }
    this.isDead = true;
    const length = 1 + this.#options.random.below(packet.length - 1);
    this.#to.write(packet.subarray(0, length), () => this.#onLast());
  }
}

export async function startRoughLines(options: RoughLinesOptions): Promise<RoughLines> {
  const { ports, random, lifetimeMs } = options;
  const open = new Set<{ readonly destroy: () => void; isHalf: boolean }>();
  const ended = { cut: 0, unheardByClient: 0, unheardByServer: 0, unheard: 0, withinFrame: 0 };
  let endings = 0;
  let stalls = 0;
  let connections = 0;
  let isMended = false;

  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({
      port: ports[connections % ports.length] as number,
      host: '127.0.0.1',
      noDelay: true,
    });
    connections += 1;
    const destroy = (): void => {
      near.destroy();
      far.destroy();
      clearTimeout(timer);
      open.delete(line);
    };
    const stall = (): boolean => {
      const isStalled = !isMended && random.below(options.stallOneOf) === 0;
      if (isStalled) stalls += 1;
      return isStalled;
    };
    const up = new Direction(near, far, options, stall, destroy);
    const down = new Direction(far, near, options, stall, destroy);
    const end = (): void => {
      // In turn, so that each of them happens.
      const how = ENDINGS[endings % ENDINGS.length] as Ending;
      endings += 1;
      ended[how] += 1;
      line.isHalf = true;
      if (how === 'cut') destroy();
      else if (how === 'withinFrame') down.isLast = true;
      else {
        up.isDead = true;
        down.isDead = true;
        if (how === 'unheardByClient') far.destroy();
        if (how === 'unheardByServer') near.destroy();
      }
    };
    const line = { destroy, isHalf: false };
    const timer = setTimeout(
      () => {
        if (!isMended && near.bytesRead > 0) end();
      },
      lifetimeMs.least + random.next() * (lifetimeMs.most - lifetimeMs.least),
    );
    open.add(line);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        // What was under way still arrives, as it would.
        if (!line.isHalf) setTimeout(destroy, options.delayMs.most);
        else if (near.destroyed && far.destroyed) destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ended,
    get stalls() {
      return stalls;
    },
    mend() {
      isMended = true;
      for (const line of open) if (line.isHalf) line.destroy();
    },
    stop() {
      server.close();
      for (const { destroy } of open) destroy();
    },
  };
}
