-- Remove a session whole, its inbox and lease among it, so that the running worker's next write is
-- refused. The mark that stays keeps entries of its messages from bringing anything back.
-- ARGV: ttl, session id.  Reply: "deleted".
-- Open tabs learn of it by a text that is never next and never old: it only says *read the log*.
local ttl, session = ARGV[1], ARGV[2]

local clock = now()
local right = text(math.max(clock, newest_right() + 1, number(redis.call('HGET', META, 'epoch')) + 1))
redis.call('DEL', LOG, META, INBOX, ACCEPTED, HISTORY, LEASE, CANCEL)
redis.call('SET', DELETED, text(clock) .. ' ' .. right, 'EX', ttl)
redis.call('PUBLISH', CONTROL, 'deleted')
redis.call('PUBLISH', CHANNEL, '{"id":"' .. right .. '-0","type":"deleted","session_id":"' .. session .. '"}')
return 'deleted'
