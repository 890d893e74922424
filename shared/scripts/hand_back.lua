-- Give the lease back in mid-turn (SIGTERM): the attempt keeps its number and is not counted as lost.
-- ARGV: ttl, token, batch, turn id.
-- Replies: "ok <entry id> ..." with the entries of the whole inbox, to be made claimable; "fenced"; "late".
local ttl, token, batch, turn = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local told = open_batch(token, batch)
if told then return told end
-- Only an attempt of this lease is handed back, once. Without that, a worker told to stop before it
-- began one took a dead worker's lost attempt off the count.
local meta = redis.call('HMGET', META, 'turn', 'attempt_token')
if meta[1] == turn and number(meta[2]) == token then
  redis.call('HINCRBY', META, 'handed_back', 1)
  redis.call('HDEL', META, 'attempt_token')
end
if number(redis.call('GET', LEASE)) == token then redis.call('DEL', LEASE) end
redis.call('HDEL', META, 'acquisition')
local reply = {'ok'}
for _, element in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
  reply[#reply + 1] = entry_of(element)
end
local told_from_now_on = close_batch(token, batch, table.concat(reply, ' '))
keep_for(ttl) -- last: of a session that has expired meanwhile, this makes meta anew
return told_from_now_on
