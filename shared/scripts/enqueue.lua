-- Accept a message into the inbox and show it in every tab. Idempotent by message id; never refuses.
-- ARGV: ttl, log limit, message id, entry id, inbox element, `message` event.
-- Replies: "enqueued"; "waiting" (it is in the inbox); "left" (answered, cancelled or deleted: its
-- entry may be acknowledged). A worker that took "somebody holds the lease" for "somebody will
-- answer" and acknowledged lost the message when that somebody died: hence three answers.
local ttl, limit, message, entry = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

check_keys()
if redis.call('SISMEMBER', ACCEPTED, message) == 1 then
  for _, element in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
    if message_of(element) == message then return 'waiting' end
  end
  return 'left'
end

-- An entry from before the session was deleted brings nothing back.
local entry_ms = tonumber(string.match(entry, '^%d+'))
if entry_ms < math.floor(deletion() / 1000) then return 'left' end

-- First: it may be refused (a stranger's entry in the log), and then nothing has been written.
append_events(6, 6, limit)
redis.call('SADD', ACCEPTED, message)
redis.call('RPUSH', INBOX, ARGV[5])
keep_for(ttl)
return 'enqueued'
