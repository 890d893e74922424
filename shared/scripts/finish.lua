-- End a turn: last events, inbox, history and the stop flag change together, once.
-- ARGV: ttl, log limit, token, batch, turn id, history ("" keeps the old one), length of the
-- unheard messages that this history contains, how many positions to remove, those, the events.
-- Replies: "ok <last position> <entry id>" (the entry may be acknowledged); "over"; "fenced"; "late".
local ttl, limit, token, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local turn, history, heard, removed = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])

local told = open_batch(token, batch)
if told then return told end
if head_of_inbox() ~= turn then return 'over' end

local position = append_events(9 + removed, #ARGV, limit)
remove_entries(9, 8 + removed)
local entry = entry_of(redis.call('LPOP', INBOX))
redis.call('SREM', CANCEL, turn)
redis.call('HDEL', META, 'turn', 'attempt', 'handed_back', 'turn_from')
if history ~= '' then
  redis.call('SET', HISTORY, history)
  local unheard = redis.call('HGET', META, 'unheard') or ''
  redis.call('HSET', META, 'unheard', string.sub(unheard, heard + 1))
end
keep_for(ttl)
return close_batch(token, batch, 'ok ' .. position .. ' ' .. entry)
