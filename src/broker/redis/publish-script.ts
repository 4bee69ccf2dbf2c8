/**
 * Appends one event to its channel's stream and to the firehose, in one step and under one id.
 *
 * For producers in other languages, which may run it as it stands:
 *
 * - KEYS[1] the channel's stream, KEYS[2] the firehose (on Cluster: in one slot);
 * - ARGV[1] the payload, ARGV[2] and ARGV[3] how many entries to keep of each, about;
 * - ARGV[4] after how many seconds without an event the channel's stream goes away, 0: never. Only where
 *   nobody else writes to it: an XADD of somebody else's would not put the time off.
 *
 * Answers the id. The id is the server's time or, where a stream is already past that, the largest id of the
 * two streams plus one, so both streams take it. Everything that can be refused (WRONGTYPE, permissions, memory)
 * is refused before the first write: it cannot fail half-way.
 *
 * The firehose never expires: its last id is how a reader knows that nothing was lost.
 *
 * Ids are compared as text, since Lua's numbers are exact up to 2^53 only; a sequence beyond that moves on to the
 * next millisecond.
 */
export const PUBLISH_SCRIPT = `
local function lastId(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  if info.err then
    if string.find(info.err, 'no such key', 1, true) then return '0', '0' end
    return nil, nil, info
  end
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then return string.match(info[at + 1], '^(%d+)-(%d+)$') end
  end
  return nil, nil, redis.error_reply('ERR XINFO STREAM gave no last-generated-id')
end

local function isAfter(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

local time = redis.call('TIME')
local ms, seq = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)), '0'
for at = 1, 2 do
  local lastMs, lastSeq, failure = lastId(KEYS[at])
  if failure then return failure end
  if not isAfter(ms, lastMs) then
    if isAfter(lastMs, ms) then
      ms, seq = lastMs, '0'
    end
    if #lastSeq > 15 then
      ms, seq = string.format('%.0f', tonumber(ms) + 1), '0'
    elseif not isAfter(seq, lastSeq) then
      seq = string.format('%.0f', tonumber(lastSeq) + 1)
    end
  end
end

local id = ms .. '-' .. seq
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'data', ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], id, 'data', ARGV[1])
if ARGV[4] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return id
`;
