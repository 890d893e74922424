-- Acknowledge an entry and delete it, together.
-- KEYS: turns.  ARGV: group, entry.
-- Reply: whether it was there.
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
