import type { Logger } from './logger.ts';

/** Says when something begins to fail, with the first error, and when it works again; nothing in between. */
export class OutageLog {
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  readonly #words: { readonly fails: string; readonly works: string };
  #isFailing = false;

  constructor(
    logger: Pick<Logger, 'info' | 'warn'>,
    words: { readonly fails: string; readonly works: string },
  ) {
    this.#logger = logger;
    this.#words = words;
  }

  failed(error: unknown): void {
    if (!this.#isFailing) this.#logger.warn({ err: error }, this.#words.fails);
    this.#isFailing = true;
  }

  worked(): void {
    if (this.#isFailing) this.#logger.info({}, this.#words.works);
    this.#isFailing = false;
  }
}
