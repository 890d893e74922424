-- One page of the log after a position, with what is needed to judge it, in one step. Apart, an
-- epoch could change between the entries and the head, and a replay end in the wrong life.
-- ARGV: position ("" for the beginning), page size.  Reads only.
-- Replies with a list: epoch, head seq, trim mark (each or nil), entries as XRANGE gives them.
local from = '-'
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local meta = redis.call('HMGET', META, 'epoch', 'head', 'trimmed')
return {meta[1], meta[2], meta[3], redis.call('XRANGE', LOG, from, '+', 'COUNT', ARGV[2])}
