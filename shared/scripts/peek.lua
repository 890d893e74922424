-- What the holder of a lease needs to know before it starts the next turn. Reads only.
-- Replies with a list: inbox head (or nil), turn that was started last, its attempts so far, position
-- of its first event, history, messages that were cancelled before any turn saw them, where in the
-- session's row of such messages they begin, how many of that turn's attempts were handed back.
local meta = redis.call('HMGET', META, 'turn', 'attempt', 'turn_from', 'unheard', 'unheard_at', 'handed_back')
return {
  redis.call('LINDEX', INBOX, 0), meta[1], meta[2], meta[3],
  redis.call('GET', HISTORY), meta[4], meta[5], meta[6],
}
