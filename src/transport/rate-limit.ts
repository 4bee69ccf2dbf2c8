import { TokenBucket, type TokenBucketOptions } from '../protocol/native/token-bucket.ts';

/** Names that are counted at once, about 150 bytes each. */
const MAX_COUNTED = 10_000;
/** A second's worth may come at once twice over, as it may of frames. */
const BURST = 2;

export interface RateLimitOptions extends Pick<TokenBucketOptions, 'now'> {
  /** Of each name; 0: no limit. */
  readonly perSecond: number;
  /** The most that one name may do at once after a pause. Left out: twice what it may in a second. */
  readonly burst?: number;
  /** The most names that are counted at once. */
  readonly maxCounted?: number;
}

/**
 * How often each of many may do something: a bucket for each name. Its memory is bounded: the name that was counted
 * longest ago is forgotten first, and may then do its burst once more, so whoever has thousands of names gains by it
 * what he would have had by thousands more.
 */
export class RateLimit {
  readonly #options: Required<RateLimitOptions>;
  /** The one that was counted longest ago first. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: RateLimitOptions) {
    this.#options = { burst: BURST * options.perSecond, maxCounted: MAX_COUNTED, ...options };
  }

  /** Counts one: 0, or after how many milliseconds there will be one to count. */
  take(name: string): number {
    const { perSecond, burst, maxCounted, now } = this.#options;
    if (perSecond === 0) return 0;
    const bucket = this.#buckets.get(name) ?? new TokenBucket({ perSecond, burst, now });
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxCounted) break;
      this.#buckets.delete(oldest);
    }
    return bucket.take();
  }

  /** How many names are counted now. */
  get size(): number {
    return this.#buckets.size;
  }
}
