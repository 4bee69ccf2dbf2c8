/** The keys of one installation. */
export interface Keys {
  /** Superset's stream of everything. */
  readonly firehose: string;
  /** Keeps the random half of the epoch. */
  readonly epoch: string;
  readonly control: string;
  readonly instances: string;
  /** True when every channel's stream is served by the same server as the firehose, so that one script can write both. */
  readonly oneSlot: boolean;
  /** A channel's stream. Throws for a name that would be another noun's key. */
  channel(name: string): string;
  claim(key: string): string;
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

/** The part of a key that Redis Cluster places it by, when there is one. */
function hashTagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open === -1 || close <= open + 1 ? undefined : key.slice(open + 1, close);
}
