import type { LoadedConfig } from '../config/loaded.ts';

/** The part of a whole number that one of `count` gets: all parts differ by 1 at most, and add up to the whole. */
const partOf = (whole: number, index: number, count: number): number =>
  Math.floor(whole / count) + (index < whole % count ? 1 : 0);

/**
 * The configuration of one of `count` workers: what is a bound of the whole server becomes its share.
 *
 * `maxTotalConnections` is divided; 0, no limit, stays so, and a share is never 0 because a rule of the
 * configuration wants one connection for each. So is `maxTotalBufferBytes`, which is memory of one machine.
 *
 * `maxConnectionsPerChannel` is not. A channel is one user's, and a few tabs of theirs may come to one worker: with
 * a share of 2 out of 8 the third would be refused while the limit is far away. It stays a bound of each worker.
 * Limits per second are each worker's own too: connections are dealt out whoever they are of, so a share would refuse
 * one address while its limit is far away. The window's limits are each worker's own, because each keeps the whole window.
 */
export const shareOf = (loaded: LoadedConfig, index: number, count: number): LoadedConfig => {
  const { config } = loaded;
  return {
    ...loaded,
    config: {
      ...config,
      maxTotalConnections: partOf(config.maxTotalConnections, index, count),
      maxTotalBufferBytes: partOf(config.maxTotalBufferBytes, index, count),
    },
  };
};
