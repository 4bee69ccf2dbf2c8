/**
 * Publishes events to native channels. `docs/redis.md` is its documentation and holds the same text: producers in
 * other languages run it as it stands.
 *
 * Why it looks as it does:
 *
 * - Everything that can be wrong with one event (a key of another type) is asked before anything of it is written.
 *   What the server refuses altogether (OOM, MISCONF, READONLY) it refuses at a script's first write, never at a
 *   later one, so that is an XADD: EXPIRE would be let through without memory, and everything after it as well.
 * - Several events are one run, not a pipeline of runs: a script that a server does not know yet is sent again, and
 *   would overtake those behind it.
 * - Redis 6.2 does: XINFO's last-generated-id is there, entries-added is not asked for.
 */
export const NATIVE_PUBLISH_SCRIPT = `
-- KEYS[1]  the firehose
-- ARGV[1]  how many entries to keep of the firehose, about
-- ARGV[2]  how many entries to keep of a channel, about
-- ARGV[3]  for how many seconds to keep them, about; 0: for ever
-- ARGV[4]  for how many seconds to remember an idempotency key
--
-- Then, for each event, three keys and four arguments:
--
-- KEYS  the channel's stream, the idempotency key, the channel's snapshot
-- ARGV  the channel's name
--       the topic, '' for none
--       the data
--       what it has: 'k' an idempotency key, 's' to be kept as the snapshot, 'ks', or ''
--
-- And last, for each event, its W3C traceparent, '' for none; or nothing, where none has one.
--
-- Answers, for each event, its id, or an error and nothing of it was written.

-- A channel's stream goes away this much later than its last event is old, so that a reader whose position is
-- younger than ARGV[3] knows of a stream that is not there that nothing was published. It is also by how much ids
-- may be ahead of the clock.
local GRACE_SECONDS = 3600

-- Ids are two unsigned 64-bit numbers. Lua's numbers are exact up to 2^53, so they stay digits.
local MAX = '18446744073709551615'

local function isLess(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function plusOne(digits)
  local rest, nines = string.match(digits, '^(.-)(9*)$')
  local zeros = string.rep('0', #nines)
  if rest == '' then return '1' .. zeros end
  return string.sub(rest, 1, -2) .. string.char(string.byte(rest, -1) + 1) .. zeros
end

-- The largest id that a stream ever gave, which outlives the entry itself: ms, seq, or an error.
local function lastIdOf(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  if info.err then
    if string.find(info.err, 'no such key', 1, true) then return '0', '0' end
    return nil, nil, { err = info.err }
  end
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then return string.match(info[at + 1], '^(%d+)-(%d+)$') end
  end
end

local firehose, firehoseLength, channelLength = KEYS[1], ARGV[1], ARGV[2]
local maxAge, keySeconds = tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local nowMs = string.format('%s%03d', time[1], math.floor(tonumber(time[2]) / 1000))
local oldestMs = string.format('%.0f', math.max(0, tonumber(nowMs) - maxAge * 1000))
local isWritten = false
local lastMs, lastSeq, failure = lastIdOf(firehose)
if failure then return failure end

-- Now or, where one of the two streams is already past that, the larger of their last ids plus one: both take it.
local function nextId(channelMs, channelSeq)
  local ms, seq = lastMs, lastSeq
  if isLess(ms, channelMs) or (ms == channelMs and isLess(seq, channelSeq)) then
    ms, seq = channelMs, channelSeq
  end
  if isLess(ms, nowMs) then return nowMs, '0' end
  if seq ~= MAX then return ms, plusOne(seq) end
  if ms ~= MAX then return plusOne(ms), '0' end
end

local function publish(channelKey, idempotencyKey, snapshotKey, channel, topic, data, has, trace)
  local isSnapshot = string.find(has, 's', 1, true)
  local hasKey = string.find(has, 'k', 1, true)
  if hasKey then
    local first = redis.pcall('GET', idempotencyKey)
    if first then return first end
  end
  local channelMs, channelSeq, wrong = lastIdOf(channelKey)
  if wrong then return wrong end
  local snapshotId = redis.pcall('HGET', snapshotKey, 'id')
  if type(snapshotId) == 'table' then return snapshotId end
  local ms, seq = nextId(channelMs, channelSeq)
  if not ms then return { err = 'ERR the stream has given its last id' } end

  local id = ms .. '-' .. seq
  local fields = { 'c', channel, 't', topic, 'd', data, 'p', channelMs .. '-' .. channelSeq }
  if topic == '' then fields = { 'c', channel, 'd', data, 'p', channelMs .. '-' .. channelSeq } end
  if trace and trace ~= '' then
    fields[#fields + 1] = 'w'
    fields[#fields + 1] = trace
  end
  redis.call('XADD', channelKey, 'MAXLEN', '~', channelLength, id, unpack(fields))
  redis.call('XADD', firehose, 'MAXLEN', '~', firehoseLength, id, unpack(fields))
  lastMs, lastSeq, isWritten = ms, seq, true
  if hasKey then redis.call('SET', idempotencyKey, id, 'EX', keySeconds) end
  if maxAge > 0 then redis.call('XTRIM', channelKey, 'MINID', '~', oldestMs) end
  if isSnapshot then
    -- A channel that has a snapshot stays, or nobody could say what came after it.
    redis.call('HSET', snapshotKey, 'id', id, 't', topic, 'd', data)
    redis.call('PERSIST', channelKey)
  elseif maxAge > 0 and not snapshotId then
    redis.call('EXPIRE', channelKey, maxAge + GRACE_SECONDS)
  end
  return id
end

local answers = {}
local events = (#KEYS - 1) / 3
for event = 0, events - 1 do
  local key, arg = 3 * event + 1, 4 * event + 4
  answers[event + 1] = publish(
    KEYS[key + 1], KEYS[key + 2], KEYS[key + 3],
    ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3], ARGV[arg + 4], ARGV[4 + 4 * events + event + 1]
  )
end
-- The firehose never expires: its last id is how a reader knows that nothing was lost.
if isWritten and maxAge > 0 then redis.call('XTRIM', firehose, 'MINID', '~', oldestMs) end
return answers
`;
