/**
 * Remembers whose tokens are refused: KEYS[1] a sorted set by the time up to which tokens are, ARGV[1] for how many ms
 * after that, then for each of them the time and the name.
 *
 * Of two times of one name the later one stays, so that what is repeated late takes nothing back. What is too old for
 * any token to be left is removed by the server's clock, and the set goes when its last member is.
 */
export const REVOKE_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local ttl = tonumber(ARGV[1])
for at = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'GT', ARGV[at], ARGV[at + 1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ttl)
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last[2]) + ttl)) end
return 1
`;
