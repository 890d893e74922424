-- One page of the log after a position, with what is needed to judge it, in one step. Apart, an
-- epoch could change between the entries and the head, and a replay end in the wrong life.
-- ARGV: position ("" for the beginning), most entries, most bytes of them (one comes however big; none
-- given: no limit).  Reads only.
-- Replies with a list: epoch, head seq, trim mark (each or nil), entries as XRANGE gives them.
local from, most, most_bytes = '-', tonumber(ARGV[2]), tonumber(ARGV[3]) or math.huge
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local STEP = 32 -- entries that are looked at together: big ones that do not fit are few

local function read_entries()
  local entries, bytes = {}, 0
  while #entries < most do
    local step = redis.call('XRANGE', LOG, from, '+', 'COUNT', math.min(STEP, most - #entries))
    for _, entry in ipairs(step) do
      bytes = bytes + #(entry[2][2] or '')
      if #entries > 0 and bytes > most_bytes then return entries end
      entries[#entries + 1] = entry
      from = '(' .. entry[1]
    end
    if #step < STEP then return entries end
  end
  return entries
end

local meta = redis.call('HMGET', META, 'epoch', 'head', 'trimmed')
if not meta[1] then
  -- Somebody has removed it: what is there is judged by its last entry.
  local last = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)[1]
  if last then meta[1], meta[2] = string.match(last[1], '^(%d+)-(%d+)$') end
end
return {meta[1], meta[2], meta[3], read_entries()}
