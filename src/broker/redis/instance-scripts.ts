const NOW = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

/**
 * Says that an instance is alive: KEYS[1] the instances, ARGV[1] its name, ARGV[2] for how many ms.
 *
 * One sorted set by the time each heartbeat runs out, on the server's clock: no key per instance, so nothing has
 * to be scanned for, and instances whose clocks differ agree. The set goes when its last member has run out.
 */
export const HEARTBEAT_SCRIPT = `${NOW}
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
return 1
`;

/** The names whose heartbeat has not run out: KEYS[1] the instances. */
export const INSTANCES_SCRIPT = `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
`;
