-- Put before every script. The keys of one session, in the order of shared/keys.py; all share one
-- hash tag, so they live in one slot. Replies of scripts that write are one string: a word, then values.
-- On a cluster every PUBLISH is an SPUBLISH: shared/redis_client.py puts it into the text.
local CHANNEL, LOG, META, INBOX, ACCEPTED, HISTORY, LEASE, CANCEL, DELETED, CONTROL = unpack(KEYS)

-- Whole numbers stay exact below 2^53; Lua would print them as 1.7e+15.
local function text(number) return string.format('%.0f', number) end

-- Redis' clock in microseconds. Tokens and epochs start from it, so that neither an expired key nor
-- a restored snapshot can give the same one out twice.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function number(value) return tonumber(value or 0) or 0 end

-- An inbox element is JSON that starts with its message id, which is a UUID: no parsing needed.
local function message_of(element)
  return element and string.match(element, '^{"message_id":"([%x-]+)"')
end

local function entry_of(element)
  return string.match(element, '^{"message_id":"[%x-]+","entry":"([%d-]+)"')
end

-- Somebody may have put something else under the keys. That is found out before anything is written:
-- Redis takes nothing back of a script that fails half-way.
local function check_keys()
  redis.call('XLEN', LOG)
  redis.call('HLEN', META)
  redis.call('LLEN', INBOX)
  redis.call('SCARD', ACCEPTED)
  redis.call('SCARD', CANCEL)
end

-- Quotes inside the content are escaped, so this can only be the field itself.
local function trace_of(element)
  return string.match(element, '"traceparent":"%x+%-(%x+)%-')
end

local function head_of_inbox() return message_of(redis.call('LINDEX', INBOX, 0)) end

-- Everything a session has expires together: a log without its meta could not be judged.
local function keep_for(ttl)
  -- One moment for all: Redis 7.0 reads its clock anew for each EXPIRE of a script.
  local moment = text(math.floor(now() / 1000) + tonumber(ttl) * 1000)
  for _, key in ipairs({LOG, META, INBOX, ACCEPTED, HISTORY, CANCEL}) do
    redis.call('PEXPIREAT', key, moment)
  end
end

-- The same, where it is due: when a hundredth of the time has gone, or the log is new. Refreshing it
-- with every token cost Redis more than the token.
local function keep_on_for(ttl)
  if redis.call('PTTL', LOG) < tonumber(ttl) * 990 then keep_for(ttl) end
end

-- What meta says of the newest writer and of the log's end, read once by each script: most run for
-- a single token, and every call counts.
local known
local function meta()
  if not known then
    local row = redis.call('HMGET', META, 'token', 'batch', 'told', 'epoch', 'head', 'life')
    known = {
      token = number(row[1]), batch = number(row[2]), told = row[3],
      epoch = number(row[4]), head = number(row[5]), life = row[6],
    }
  end
  return known
end

-- The mark of a deletion: the clock at that moment, which older entries are judged by, and a number
-- above every token and epoch until then. They differ where the clock has stepped back (a failover):
-- entries judged by the number would be answered "left" though their messages came later.
local function deletion()
  local clock, right = string.match(redis.call('GET', DELETED) or '', '^(%d+) (%d+)$')
  return number(clock), number(right)
end

-- The newest right to write: the newest lease's token, or the deletion's, which outlives meta so that
-- a worker of the deleted conversation cannot write into the one after it.
local function newest_right()
  local _, deleted = deletion()
  return math.max(meta().token, deleted)
end

-- Refuses a writer whose lease is not the newest, and a batch that is not above the last one.
-- "Not above" rather than "the same": a late copy of an earlier time-out may come after its successor.
-- The last batch again is a retry and gets the first answer. nil means: go on, then close_batch.
local function open_batch(token, batch)
  local last = meta()
  if token ~= last.token then -- else nothing was deleted since: a deletion takes meta away
    if token < newest_right() then return 'fenced' end
  end
  if token == last.token and batch <= last.batch then
    if batch == last.batch then return last.told end
    return 'late'
  end
  return nil
end

-- Whether a batch that this lease was told is written is not here: a restored snapshot, a failover to
-- a replica that lagged. Going on would leave a hole inside the attempt (a call without its beginning, a
-- turn without `turn_started`); the turn is begun again, as another attempt.
local function has_forgotten(token, written)
  local last = meta()
  if token > last.token then return written > 0 end
  return token == last.token and last.batch < written
end

local function close_batch(token, batch, reply)
  redis.call('HSET', META, 'token', text(token), 'batch', batch, 'told', reply)
  return reply
end

local LIFE_LENGTH = 40

-- Appends, numbers and publishes ARGV[first..last]; returns the last position.
-- A new epoch begins when this is not the server that the log was last written in (restart,
-- failover, restored snapshot): it may have forgotten events that a tab has seen, and their numbers
-- would be used again. INFO decides here, inside the script; what a writer remembers of its Redis
-- was once allowed to decide, and a restart between its look and its write went unseen. The
-- replication id is new with every start and every promotion. The process's run_id is not: after a
-- failover there and back it is the same, and numbers that tabs had seen came again.
local function append_events(first, last, limit)
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  local life = string.sub(info, before + 1, before + LIFE_LENGTH)
  local epoch, head = meta().epoch, meta().head
  if meta().life ~= life then
    local _, deleted = deletion()
    epoch = math.max(epoch + 1, deleted + 1, now())
    head = 0
  end
  local front, position = text(epoch) .. '-', nil
  for i = first, last do
    head = head + 1
    position = front .. text(head)
    redis.call('XADD', LOG, position, 'event', ARGV[i])
    redis.call('PUBLISH', CHANNEL, '{"id":"' .. position .. '",' .. string.sub(ARGV[i], 2))
  end
  redis.call('HSET', META, 'epoch', text(epoch), 'head', text(head), 'life', life)
  -- Trimming for size is recorded, because there something is missing and the tab must be told.
  local over = redis.call('XLEN', LOG) - limit
  if over > 0 then
    local gone = redis.call('XRANGE', LOG, '-', '+', 'COUNT', over)
    redis.call('HSET', META, 'trimmed', gone[#gone][1])
    redis.call('XTRIM', LOG, 'MAXLEN', limit)
  end
  return position
end

local MOST_REMOVED_AT_ONCE = 1000 -- Lua's stack takes some thousands of values

-- Deltas whose whole text has been appended leave the log: it stays as long as the conversation.
-- Not recorded: a reader passes over the hole, and the final event holds what was in it. Called before
-- events are appended: what leaves anyway makes room before the conversation is trimmed for size.
local function remove_entries(first, last)
  for i = first, last, MOST_REMOVED_AT_ONCE do
    redis.call('XDEL', LOG, unpack(ARGV, i, math.min(i + MOST_REMOVED_AT_ONCE - 1, last)))
  end
end
