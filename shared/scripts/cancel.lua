-- Stop a turn. A waiting one leaves the inbox and gets its `turn_finished` here, at once; a running
-- one is flagged for its worker, which the control channel wakes.
-- ARGV: ttl, log limit, turn id, `turn_finished` event.
-- Replies: "cancelled" (the same again for a retry); "flagged"; "unknown" (finished, or never heard
-- of). The entry of a cancelled message is acknowledged by whoever claims it.
local ttl, limit, turn = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local MOST_UNHEARD_BYTES = 1048576
local MOST_REMEMBERED_BYTES = 4096 -- more ids than an inbox holds

check_keys()
local meta = redis.call('HMGET', META, 'turn', 'cancelled', 'unheard', 'unheard_at')
local cancelled = meta[2] or ''
if string.sub(cancelled, -1) ~= ' ' then cancelled = ' ' .. cancelled .. ' ' end
for _, element in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
  if message_of(element) == turn then
    if meta[1] == turn then
      redis.call('SADD', CANCEL, turn)
      redis.call('PUBLISH', CONTROL, 'cancel ' .. turn)
      keep_for(ttl)
      return 'flagged'
    end
    -- Only the inbox knows under which trace the message was received.
    local trace = trace_of(element)
    if trace then
      ARGV[4] = string.gsub(ARGV[4], ',"status":', ',"trace_id":"' .. trace .. '","status":', 1)
    end
    append_events(4, 4, limit) -- first: where it is refused, nothing has been written
    redis.call('LREM', INBOX, 1, element)
    -- The model has not seen it yet and shall: a cancelled turn's message stays in its history.
    -- Bounded: somebody who sends and cancels while a turn runs would fill the memory otherwise.
    local unheard, at = (meta[3] or '') .. element .. '\n', number(meta[4])
    while #unheard > MOST_UNHEARD_BYTES do
      local line = string.find(unheard, '\n', 1, true)
      unheard, at = string.sub(unheard, line + 1), at + line
    end
    redis.call('HSET', META, 'unheard', unheard, 'unheard_at', text(at))
    redis.call('HSET', META, 'cancelled', string.sub(cancelled .. turn .. ' ', -MOST_REMEMBERED_BYTES))
    keep_for(ttl)
    return 'cancelled'
  end
end
return string.find(cancelled, ' ' .. turn .. ' ', 1, true) and 'cancelled' or 'unknown'
