-- Give the lease back in mid-turn (SIGTERM): the attempt keeps its number and is not counted as lost.
-- ARGV: ttl, token, batch, turn id.
-- Replies: "ok <entry id> ..." with the entries of the whole inbox, to be made claimable; "fenced"; "late".
local ttl, token, batch, turn = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local told = open_batch(token, batch)
if told then return told end
if redis.call('HGET', META, 'turn') == turn then redis.call('HINCRBY', META, 'handed_back', 1) end
if number(redis.call('GET', LEASE)) == token then redis.call('DEL', LEASE) end
redis.call('HDEL', META, 'acquisition')
local reply = {'ok'}
for _, element in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
  reply[#reply + 1] = entry_of(element)
end
keep_for(ttl)
return close_batch(token, batch, table.concat(reply, ' '))
