/** What one read returns at most, as the port says. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Four entries of the largest size that can be published here (1 MiB by default) are a batch. */
const FIRST_COUNT = 4;
/** How much of a large average is forgotten with each batch of smaller entries. */
const FORGETTING = 0.25;

/**
 * The COUNT that keeps batches under a number of bytes.
 *
 * XREAD is bounded by COUNT only, so it is learnt from the sizes that came: it starts small, at most doubles from
 * batch to batch, and falls at once when entries get larger.
 */
export class BatchCount {
  #count = FIRST_COUNT;
  #averageBytes = 0;

  next(wanted: number): number {
    return Math.max(1, Math.min(wanted, this.#count));
  }

  /** A batch came: how many entries, how many bytes of fields. */
  record(count: number, bytes: number): void {
    if (count === 0) return;
    const average = bytes / count;
    this.#averageBytes = Math.max(average, this.#averageBytes + (average - this.#averageBytes) * FORGETTING);
    const fitting = Math.floor(MAX_BATCH_BYTES / Math.max(1, this.#averageBytes));
    this.#count = Math.max(1, Math.min(fitting, this.#count * 2));
  }
}
