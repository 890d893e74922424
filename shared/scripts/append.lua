-- Append, number and publish a batch of a running turn's events: all or none, once.
-- ARGV: ttl, log limit, token, batch, turn id, how many positions to remove, those, the events.
-- Replies: "ok <last position>"; "over" (the turn has left the inbox); "fenced"; "late".
local ttl, limit, token, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local turn, removed = ARGV[5], tonumber(ARGV[6])

local told = open_batch(token, batch)
if told then return told end
if head_of_inbox() ~= turn then return 'over' end

remove_entries(7, 6 + removed)
local position = append_events(7 + removed, #ARGV, limit)
keep_for(ttl)
return close_batch(token, batch, 'ok ' .. position)
