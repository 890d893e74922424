-- Keep the lease while a turn runs, also after it ran out with nobody to replace this worker.
-- ARGV: ttl, lease in ms, token, turn id.
-- Replies: "ok"; "cancel" (a tab asked to stop the turn); "over" (the turn has left the inbox);
-- "fenced".
local ttl, lease_ms, token, turn = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

if token < newest_right() then return 'fenced' end
if head_of_inbox() ~= turn then return 'over' end
if token > meta().token then
  redis.call('HSET', META, 'token', text(token), 'batch', 0, 'told', '')
end
redis.call('SET', LEASE, text(token), 'PX', lease_ms)
keep_for(ttl)
if redis.call('SISMEMBER', CANCEL, turn) == 1 then return 'cancel' end
return 'ok'
