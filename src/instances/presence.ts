import type { Control } from '../broker/ports.ts';
import { type Clock, fullJitterMs, within } from '../clock.ts';

/** How often an instance says that it is alive: often enough for it to be asked soon after it has come. */
export const HEARTBEAT_MS = 3_000;
/** For how long that is believed: two heartbeats may fail, and one that was killed is soon not waited for any more. */
export const HEARTBEAT_TTL_MS = 10_000;
const BACKOFF = { baseMs: 100, capMs: 5_000 };
/** A goodbye that cannot be said in this time is not worth waiting for: the heartbeat runs out. */
const GOODBYE_MS = 500;

export interface PresenceDeps {
  readonly id: string;
  readonly control: Control;
  readonly clock: Clock;
  readonly random: () => number;
  hear(sent: unknown): void;
  /** Reads what is kept beside the messages; called until it resolves, and again whenever messages may be missing. */
  load(): Promise<void>;
  /** It hears and is heard of, or does so again. */
  onPresent(): void;
  /** It does not, and tries again: told once until it does. */
  onAbsent(error: unknown): void;
}

/** One instance among others: it listens to what they say, and says that it is there. */
export class Presence {
  readonly #deps: PresenceDeps;
  #listener: { close(): void } | undefined;
  #isLoaded = false;
  #isClosed = false;
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    const { id, control, clock } = this.#deps;
    this.#isClosed = true;
    this.#listener?.close();
    this.#wake();
    const goodbye = this.#running.then(() => control.heartbeat(id, 0)).catch(() => {});
    await within(clock, GOODBYE_MS, goodbye);
  }

  /** Has it all read again, now. */
  reload(): void {
    this.#isLoaded = false;
    this.#wake();
  }

  async #run(): Promise<void> {
    const { random, onPresent, onAbsent } = this.#deps;
    let isPresent = false;
    for (let failures = 0; !this.#isClosed; ) {
      try {
        await this.#beat();
        failures = 0;
        if (!isPresent) onPresent();
        isPresent = true;
        if (this.#isLoaded) await this.#pause(HEARTBEAT_MS);
      } catch (error) {
        failures += 1;
        if (this.#isClosed) return;
        if (isPresent || failures === 1) onAbsent(error);
        isPresent = false;
        await this.#pause(fullJitterMs(failures, { ...BACKOFF, random }));
      }
    }
  }

  /** Listens before it says that it is there, so that whoever is asked has heard; reads last, so that nothing is between. */
  async #beat(): Promise<void> {
    const { id, control, load } = this.#deps;
    this.#listener ??= await this.#listen();
    if (this.#isClosed) return this.#listener.close();
    await control.heartbeat(id, HEARTBEAT_TTL_MS);
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    const rest = this.#beatMeanwhile();
    try {
      await load();
    } catch (error) {
      this.#isLoaded = false;
      throw error;
    } finally {
      rest();
    }
  }

  /** However long there is to read, it must not look as if it was gone. */
  #beatMeanwhile(): () => void {
    const { id, control, clock } = this.#deps;
    let timer: unknown;
    const wait = (): void => {
      timer = clock.setTimeout(() => {
        if (this.#isClosed) return;
        // Whether that works is told by the next one that is waited for.
        control.heartbeat(id, HEARTBEAT_TTL_MS).catch(() => {});
        wait();
      }, HEARTBEAT_MS);
    };
    wait();
    return () => clock.clearTimeout(timer);
  }

  #listen(): Promise<{ close(): void }> {
    const { control, hear } = this.#deps;
    return control.listen(hear, () => this.reload());
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, ms);
      this.#wake = () => {
        clock.clearTimeout(timer);
        resolve();
      };
      // It may have been woken before it slept.
      if (this.#isClosed) this.#wake();
    });
  }
}
