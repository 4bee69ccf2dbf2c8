/** The keys of one installation. */
export interface Keys {
  /** Superset's stream of everything. */
  readonly firehose: string;
  /** Keeps the random half of the epoch. */
  readonly epoch: string;
  readonly control: string;
  readonly instances: string;
  readonly revoked: string;
  /** True when every channel's stream is served by the same server as the firehose, so that one script can write both. */
  readonly oneSlot: boolean;
  /** A channel's stream. Throws for a name that would be another noun's key. */
  channel(name: string): string;
  claim(key: string): string;
}

/** The keys of the native log. Nouns of ours start with `$`, channels with `c:`, so no name is another noun's key. */
export interface NativeKeys extends Keys {
  /** Of an idempotency key. */
  key(scoped: string): string;
  snapshot(channel: string): string;
}

export interface KeyOptions {
  /** Of Superset's streams. */
  readonly streamPrefix: string;
  /** Of our own keys, whose names start with `$`. */
  readonly nativePrefix: string;
  readonly isCluster: boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

export function createKeys({ streamPrefix, nativePrefix, isCluster }: KeyOptions): Keys {
  const firehose = `${streamPrefix}full`;
  // What the head of the firehose consists of is read on one connection, so on Cluster it lives in one slot.
  const epoch = isCluster
    ? `${nativePrefix}$epoch:{${hashTagOf(firehose) ?? firehose}}`
    : `${nativePrefix}$epoch`;
  return {
    firehose,
    epoch,
    control: `${nativePrefix}$control`,
    instances: `${nativePrefix}$instances`,
    revoked: `${nativePrefix}$revoked`,
    oneSlot: !isCluster || hashTagOf(streamPrefix) !== undefined,
    channel(name) {
      // It would read everybody's events. Lone surrogates all become the same character in UTF-8.
      if (name === 'full' || LONE_SURROGATE.test(name)) {
        throw new RangeError('this name cannot be the name of a channel');
      }
      return `${streamPrefix}${name}`;
    },
    claim: (key) => `${nativePrefix}$once:${key}`,
  };
}

/** On a Cluster all of them are in one slot: the publish script writes the firehose and any channel. */
export function createNativeKeys(options: KeyOptions): NativeKeys {
  const own = options.isCluster ? tagged(options.nativePrefix) : options.nativePrefix;
  const named = (noun: string) => (name: string) => {
    if (LONE_SURROGATE.test(name)) throw new RangeError('this name cannot be part of a key');
    return `${own}${noun}${name}`;
  };
  return {
    ...createKeys(options),
    firehose: `${own}$all`,
    epoch: `${own}$epoch`,
    oneSlot: true,
    channel: named('c:'),
    key: named('$key:'),
    snapshot: named('$snapshot:'),
  };
}

/** The prefix with a hash tag: its own, or itself as one. */
function tagged(prefix: string): string {
  if (hashTagOf(prefix) !== undefined) return prefix;
  const whole = `{${prefix}}`;
  return hashTagOf(whole) === undefined ? `{$}${prefix}` : whole;
}

/** The part of a key that Redis Cluster places it by, when there is one. */
function hashTagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open === -1 || close <= open + 1 ? undefined : key.slice(open + 1, close);
}
