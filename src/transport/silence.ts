import type { Clock } from '../clock.ts';

export interface SilenceOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>;
  readonly afterMs: number;
  /** Called when nothing was said for `afterMs`, and again whenever as much has passed since. */
  readonly fell: () => void;
}

/** Notices that nothing was said for a while. One timer: what is said moves a time, and no timer. */
export class Silence {
  readonly #options: SilenceOptions;
  #sinceMs: number;
  #timer: unknown;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.now();
    this.#look();
  }

  /** Something was said. */
  break(): void {
    this.#sinceMs = this.#options.clock.now();
  }

  end(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #look(): void {
    const { clock, afterMs, fell } = this.#options;
    const leftMs = this.#sinceMs + afterMs - clock.now();
    this.#timer = clock.setTimeout(() => {
      const isSilent = clock.now() - this.#sinceMs >= afterMs;
      if (isSilent) this.break();
      // First: what is said then may be its end.
      this.#look();
      if (isSilent) fell();
    }, leftMs);
  }
}
