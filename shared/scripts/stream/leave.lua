-- Take consumers out of the group that have nothing pending and are the one that leaves, or long gone.
-- KEYS: turns.  ARGV: group, consumer, idle time in ms after which one is long gone.
-- Reply: how many were taken out.
local removed = 0
for _, pairs in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #pairs, 2 do about[pairs[i]] = pairs[i + 1] end
  if about.pending == 0 and (about.name == ARGV[2] or about.idle > tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    removed = removed + 1
  end
end
return removed
