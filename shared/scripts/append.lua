-- Append, number and publish a batch of a running turn's events: all or none, once.
-- ARGV: ttl, log limit, token, batch, the last batch that is known to be written, turn id, how many
-- positions to remove, those, the events.
-- Replies: "ok <last position>"; "over" (the turn has left the inbox, or Redis has forgotten a part of
-- this attempt); "fenced"; "late".
local ttl, limit, token, batch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local written, turn, removed = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])

local told = open_batch(token, batch)
if told then return told end
if has_forgotten(token, written) or head_of_inbox() ~= turn then return 'over' end

remove_entries(8, 7 + removed)
local position = append_events(8 + removed, #ARGV, limit)
keep_on_for(ttl)
return close_batch(token, batch, 'ok ' .. position)
