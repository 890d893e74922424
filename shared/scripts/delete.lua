-- Remove a session whole, its inbox and lease among it, so that the running worker's next write is
-- refused. The mark that stays keeps entries of its messages from bringing anything back.
-- ARGV: ttl, session id, Redis' clock when it was asked for.  Reply: "deleted" (the same again for a
-- copy that comes late: it would remove the conversation that has begun since).
-- Open tabs learn of it by a text that is never next and never old: it only says *read the log*.
local ttl, session, asked = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Somebody may have put something else under the keys: it goes too.
local function known(read)
  local is_ours, value = pcall(read)
  return is_ours and value or 0
end
local function epoch() return number(redis.call('HGET', META, 'epoch')) end

if known(deletion) >= asked then return 'deleted' end

local clock = now()
local right = text(math.max(clock, known(newest_right) + 1, known(epoch) + 1))
redis.call('DEL', LOG, META, INBOX, ACCEPTED, HISTORY, LEASE, CANCEL)
redis.call('SET', DELETED, text(clock) .. ' ' .. right, 'EX', ttl)
redis.call('PUBLISH', CONTROL, 'deleted')
redis.call('PUBLISH', CHANNEL, '{"id":"' .. right .. '-0","type":"deleted","session_id":"' .. session .. '"}')
return 'deleted'
