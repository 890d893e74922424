-- Begin an attempt, only while the turn is the head of the inbox. Attempts are counted here and
-- nowhere else: counted outside, a worker that died between the two was not counted, and a turn
-- that kills every worker ran for ever.
-- ARGV: ttl, log limit, token, batch, turn id, attempt, most lost attempts, events (the dead
-- attempt's closing ones, then `turn_started`).
-- Replies: "ok <last position>"; "over"; "cancelled" or "exhausted" (finish it instead); "fenced"; "late".
local ttl, limit, token, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local turn, attempt, most = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])

local told = open_batch(token, batch)
if told then return told end
if head_of_inbox() ~= turn then return 'over' end
if redis.call('SISMEMBER', CANCEL, turn) == 1 then return 'cancelled' end

local meta = redis.call('HMGET', META, 'turn', 'attempt', 'handed_back')
local begun, handed_back = number(meta[2]), number(meta[3])
if meta[1] ~= turn then begun, handed_back = 0, 0 end
if begun - handed_back >= most then return 'exhausted' end
if attempt ~= begun + 1 then return redis.error_reply('attempt ' .. attempt .. ' after ' .. begun) end

local position = append_events(8, #ARGV, limit)
redis.call('HSET', META, 'turn', turn, 'attempt', attempt, 'handed_back', handed_back)
if begun == 0 then redis.call('HSET', META, 'turn_from', position) end
keep_for(ttl)
return close_batch(token, batch, 'ok ' .. position)
