-- Take the right to run this session's turns.
-- ARGV: ttl, lease in ms, id of this acquisition.
-- Replies: "idle" (nothing to run); "held <ms>" (somebody else, for that long); "ok <token>".
-- The same acquisition gets the same token again, so a lost reply leaves no lease that nobody has.
local ttl, lease_ms, acquisition = ARGV[1], ARGV[2], ARGV[3]

if redis.call('LLEN', INBOX) == 0 then return 'idle' end
local meta = redis.call('HMGET', META, 'token', 'acquisition')
if meta[2] == acquisition then
  redis.call('SET', LEASE, meta[1], 'PX', lease_ms)
  return 'ok ' .. meta[1]
end
local held = redis.call('PTTL', LEASE)
if held > 0 then return 'held ' .. held end

local token = text(math.max(newest_right() + 1, now()))
redis.call('SET', LEASE, token, 'PX', lease_ms)
redis.call('HSET', META, 'token', token, 'batch', 0, 'told', '', 'acquisition', acquisition)
keep_for(ttl)
return 'ok ' .. token
