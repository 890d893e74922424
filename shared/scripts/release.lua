-- Give the lease back, if the inbox is empty. Looking and giving back are one step: a message that
-- came between the two would wait for nobody.
-- ARGV: token.  Replies: "released"; "more" (keep it: there is work); "fenced".
local token = tonumber(ARGV[1])

if token ~= number(redis.call('HGET', META, 'token')) then return 'fenced' end
if redis.call('LLEN', INBOX) > 0 then return 'more' end
if number(redis.call('GET', LEASE)) == token then redis.call('DEL', LEASE) end
redis.call('HDEL', META, 'acquisition')
return 'released'
