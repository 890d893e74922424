-- Begin an attempt, only while the turn is the head of the inbox. Attempts are counted here and
-- nowhere else: counted outside, a worker that died between the two was not counted, and a turn
-- that kills every worker ran for ever.
-- The lease starts its period anew: without that, a row of turns each shorter than the first
-- renewal was run under one period, which ended in the middle of a turn in good hands.
-- ARGV: ttl, log limit, token, lease in ms, batch, turn id, attempt, most lost attempts, events (the
-- dead attempt's closing ones, then `turn_started`).
-- Replies: "ok <last position>"; "over"; "cancelled" or "exhausted" (finish it instead); "fenced"; "late".
local ttl, limit, token, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local batch, turn, attempt, most = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])

check_keys()
local told = open_batch(token, batch)
if told then return told end
if head_of_inbox() ~= turn then return 'over' end

-- The turn is finished instead, under the next batch. This one is closed, so that it counts as
-- written: it was not, and a worker whose last batch Redis had forgotten tried to finish for ever.
local function finish_instead(word)
  close_batch(token, batch, word)
  keep_for(ttl)
  return word
end

if redis.call('SISMEMBER', CANCEL, turn) == 1 then return finish_instead('cancelled') end

local meta = redis.call('HMGET', META, 'turn', 'attempt', 'handed_back')
local begun, handed_back = number(meta[2]), number(meta[3])
if meta[1] ~= turn then begun, handed_back = 0, 0 end
if begun - handed_back >= most then return finish_instead('exhausted') end
-- Redis has forgotten an attempt since the worker looked: it looks again.
if attempt ~= begun + 1 then return 'over' end

local position = append_events(9, #ARGV, limit)
redis.call('HSET', META, 'turn', turn, 'attempt', attempt, 'handed_back', handed_back,
  'attempt_token', text(token))
redis.call('SET', LEASE, text(token), 'PX', lease_ms)
if begun == 0 then redis.call('HSET', META, 'turn_from', position) end
keep_for(ttl)
return close_batch(token, batch, 'ok ' .. position)
