-- End a turn: last events, inbox, history and the stop flag change together, once.
-- ARGV: ttl, log limit, token, batch, the last batch that is known to be written, turn id, history
-- ("" keeps the old one), up to where it contains the unheard messages, how many positions to
-- remove, those, the events.
-- Replies: "ok <last position>"; "over"; "fenced"; "late".
local ttl, limit, token, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local written, turn, history = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local heard, removed = tonumber(ARGV[8]), tonumber(ARGV[9])

check_keys()
local told = open_batch(token, batch)
if told then return told end
if has_forgotten(token, written) or head_of_inbox() ~= turn then return 'over' end

remove_entries(10, 9 + removed)
local position = append_events(10 + removed, #ARGV, limit)
redis.call('LPOP', INBOX)
redis.call('SREM', CANCEL, turn)
redis.call('HDEL', META, 'turn', 'attempt', 'attempt_token', 'handed_back', 'turn_from')
if history ~= '' then
  redis.call('SET', HISTORY, history)
  local meta = redis.call('HMGET', META, 'unheard', 'unheard_at')
  local at = number(meta[2])
  if heard > at then
    redis.call('HSET', META, 'unheard', string.sub(meta[1] or '', heard - at + 1), 'unheard_at', text(heard))
  end
end
keep_for(ttl)
return close_batch(token, batch, 'ok ' .. position)
