import { createHash } from 'node:crypto';

/**
 * Carries out a batch of requests, in order.
 *
 * KEYS  the keys of all requests, one after the other.
 * ARGV  for each request: op, token, owner, n (how many of KEYS are its own), then n times a number of milliseconds.
 *       op 'A' acquire: the ttl of each key.
 *       op 'E' extend:  the ttl of each key.
 *       op 'R' release: for how long each key stays; 0 deletes it.
 * Returns one array for each request:
 *       {1}  granted, renewed or released.
 *       {2}  extend only: at least one key was absent. All are there now.
 *       {0, i, value, pttl}  denied or taken: the i-th key (from 1) has this value. Nothing was changed.
 *       {-1, message}  this request failed, the others did not.
 *
 * A key's value is the token, a space and the owner. Every key is declared in KEYS and the code keeps to what Lua 5.1 and
 * 5.4 share, so that clusters and Dragonfly run it too.
 */
const SOURCE = `
local function carryOut(op, token, owner, keys, numbers)
  local mine, absent = token .. ' ', false
  local held = {}
  for i, key in ipairs(keys) do
    local value = redis.call('GET', key)
    held[i] = value and string.sub(value, 1, #mine) == mine
    if not value then
      absent = true
    elseif not held[i] and op ~= 'R' then
      return {0, i, value, redis.call('PTTL', key)}
    end
  end
  for i, key in ipairs(keys) do
    if op ~= 'R' then
      redis.call('SET', key, mine .. owner, 'PX', numbers[i])
    elseif held[i] and numbers[i] ~= '0' then
      redis.call('PEXPIRE', key, numbers[i])
    elseif held[i] then
      redis.call('DEL', key)
    end
  end
  if op == 'E' and absent then return {2} end
  return {1}
end

local replies, k, a = {}, 1, 1
while a <= #ARGV do
  local keys, numbers, n = {}, {}, tonumber(ARGV[a + 3])
  for i = 1, n do
    keys[i] = KEYS[k]
    numbers[i] = ARGV[a + 3 + i]
    k = k + 1
  end
  local fine, reply = pcall(carryOut, ARGV[a], ARGV[a + 1], ARGV[a + 2], keys, numbers)
  if not fine then
    if type(reply) == 'table' then reply = reply.err or reply[1] end
    reply = {-1, tostring(reply)}
  end
  replies[#replies + 1] = reply
  a = a + 4 + n
end
return replies
`;

export const LOCK_SCRIPT = { source: SOURCE, sha: createHash('sha1').update(SOURCE).digest('hex') } as const;
