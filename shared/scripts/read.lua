-- One page of the log after a position, with what is needed to judge it, in one step. Apart, an
-- epoch could change between the entries and the head, and a replay end in the wrong life.
-- ARGV: position ("" for the beginning), most entries, most bytes of them (one comes however big; none
-- given: no limit).  Reads only.
-- Replies with a list: epoch, head seq, trim mark (each or nil), and a list with position and event of
-- each entry in turn; "" where there is something else than an event.
local from, most, most_bytes = '-', tonumber(ARGV[2]), tonumber(ARGV[3]) or math.huge
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local MOST_AT_ONCE = 32

local function read_entries()
  -- Few at first: big entries that do not fit would be copied for nothing.
  local flat, entries, bytes, count = {}, 0, 0, 1
  while entries < most do
    local step = redis.call('XRANGE', LOG, from, '+', 'COUNT', math.min(count, most - entries))
    for _, entry in ipairs(step) do
      local event = entry[2][1] == 'event' and entry[2][3] == nil and entry[2][2] or ''
      bytes = bytes + #event
      if entries > 0 and bytes > most_bytes then return flat end
      entries = entries + 1
      flat[2 * entries - 1], flat[2 * entries] = entry[1], event
    end
    if #step < count then return flat end
    from = '(' .. step[#step][1]
    count = math.min(count * 2, MOST_AT_ONCE)
  end
  return flat
end

local meta = redis.call('HMGET', META, 'epoch', 'head', 'trimmed')
if not meta[1] or not meta[2] then
  -- Somebody has removed it: what is there is judged by its last entry.
  local last = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
  if last then meta[1], meta[2] = string.match(last[1], '^(%d+)-(%d+)$') end
end
return {meta[1], meta[2], meta[3], read_entries()}
