import { createHash } from 'node:crypto';
import { VALUES_LUA } from './values.lua.js';

/**
 * Carries out a batch of requests, in order.
 *
 * KEYS  the marker; then of all requests, one after the other, for each claim: its key, and the key of its counter if it
 *       has one.
 * ARGV  the marker's value as it was last seen ('' takes any, '-' looks at none and KEYS begins with the claims); the
 *       value that it gets if it is not there; then for each request: op, token, owner, fence, grantedFence, n (how many claims),
 *       then n times a number of milliseconds, for how many milliseconds its counter lives (0: it has none) and a channel
 *       ('' is none).
 *       op 'A' acquire: milliseconds are the ttl. fence is where a counter begins at least that is not there.
 *       op 'C' confirm: the counters become fence at least, if all claims carry the token and grantedFence.
 *       op 'E' extend:  milliseconds are the ttl. The counters live on. Publishes where there is a channel.
 *       op 'H' heal:    as extend, but what is absent is put back under fence.
 *       op 'R' release: for how long each key stays; 0 deletes it. Publishes on the channel how many listen there.
 *       op 'D' remove:  deletes what carries the token, of this package or not, and publishes alike; milliseconds are not used.
 *       op 'I' inspect, op 'T' tell (publishes only): milliseconds and token are not used.
 * Returns the marker's value, and one array for each request:
 *       {1}  confirmed, renewed (also by heal); inspect: there is nothing.
 *       {1, number}  granted, under this number; removed, and so many were told (a server that lets nobody publish tells
 *            nobody, and the removal stands).
 *       {1, number, gone}  released, and so many were told likewise; gone is 1 where a key did not carry the token any more.
 *       {2}  extend: at least one key is absent. heal: at least one was, all are there now. confirm: no longer as it was granted. remove: there
 *            was nothing of it.
 *       {0, i, pttl, token, number, owner}  denied, taken or seen: who has the i-th key (from 1). Nothing was changed.
 *       {3}  acquire and confirm only: the marker has another value, so locks were forgotten. Nothing was changed.
 *       {4, i, text}  acquire, confirm and heal: the counter of the i-th claim cannot be counted on. Nothing was changed.
 *       {-1, message}  this request failed, the others did not.
 *
 * A key's value is the token, a space, the number of the grant, a space and the owner. Every key is declared in KEYS, and
 * the code keeps to what Lua 5.1 and 5.4 share and to integers that both print alike, so that clusters and Dragonfly run
 * it too.
 */
const SOURCE = `
-- Not every server says which command it was that it has refused.
local server, redis = redis, {}
redis.pcall = server.pcall
function redis.call(name, ...)
  local reply = server.pcall(name, ...)
  if type(reply) == 'table' and reply.err then error(name .. ': ' .. reply.err, 0) end
  return reply
end

${VALUES_LUA}
local function raise(claim, number)
  redis.call('SET', claim.counter, whole(number), 'PX', whole(claim.lifeMs))
end

-- All are read before one is written.
local function readCounters(claims)
  for i, claim in ipairs(claims) do
    if claim.counter then claim.count = countOf(i, claim) end
  end
end

local function countOn(claims, leastStart)
  local highest, counted = 0, false
  for _, claim in ipairs(claims) do
    if claim.counter then
      counted = true
      highest = math.max(highest, claim.count or startOfCount(claim, leastStart))
    end
  end
  if not counted then return 0 end
  for _, claim in ipairs(claims) do
    if claim.counter then raise(claim, highest + 1) end
  end
  return highest + 1
end

local function catchUp(claim, number)
  if claim.counter and (claim.count or 0) < number then raise(claim, number) end
end

local function tell(claim)
  if claim.channel == '' then return 0 end
  local listeners = redis.pcall('PUBSUB', 'NUMSUB', claim.channel)
  local told = redis.pcall('PUBLISH', claim.channel, listeners[2] or '')
  return tonumber(listeners[2] or told) or 0
end

local function remove(token, claims)
  local removed, told = 0, 0
  for _, claim in ipairs(claims) do
    local holder = holderOf(claim.key)
    if holder and holder.token == token then
      redis.call('DEL', claim.key)
      removed, told = removed + 1, math.max(told, tell(claim))
    end
  end
  if removed == 0 then return {2} end
  return {1, told}
end

local function carryOut(op, token, owner, fence, grantedFence, claims)
  if op == 'T' then
    for _, claim in ipairs(claims) do tell(claim) end
    return {1}
  end
  if op == 'D' then return remove(token, claims) end

  local numbers, all = {}, true
  for i, claim in ipairs(claims) do
    local holder = holderOf(claim.key)
    if holder and holder.token == token then
      numbers[i] = holder.number
    else
      all = false
      if holder and (op == 'A' or op == 'E' or op == 'H' or op == 'I') then
        return {0, i, redis.call('PTTL', claim.key), holder.token, holder.number, holder.owner}
      end
    end
    if op == 'C' and numbers[i] ~= grantedFence then return {2} end
  end

  if op == 'I' then return {1} end

  local number = fence
  if op == 'C' or op == 'H' or (op == 'A' and not all) then readCounters(claims) end
  if op == 'A' then
    number = 0
    for i = 1, #claims do number = all and math.max(number, numbers[i]) or 0 end
    if not all then number = countOn(claims, fence) end
  end

  local told = 0
  for i, claim in ipairs(claims) do
    if op == 'C' then
      catchUp(claim, fence)
    elseif (op == 'E' or op == 'H') and numbers[i] then
      redis.call('PEXPIRE', claim.key, whole(claim.ms))
      if claim.counter then redis.call('PEXPIRE', claim.counter, whole(claim.lifeMs)) end
      tell(claim)
    elseif op == 'A' or op == 'H' then
      redis.call('SET', claim.key, token .. ' ' .. whole(number) .. ' ' .. owner, 'PX', whole(claim.ms))
      if op == 'H' then catchUp(claim, fence) end
    elseif op == 'R' and numbers[i] then
      if claim.ms > 0 then redis.call('PEXPIRE', claim.key, whole(claim.ms)) else redis.call('DEL', claim.key) end
      told = math.max(told, tell(claim))
    end
  end
  if op == 'A' then return {1, number} end
  if op == 'R' then return {1, told, all and 0 or 1} end
  if (op == 'E' or op == 'H') and not all then return {2} end
  return {1}
end

local marker, k, a, forgotten = ARGV[1], 1, 3, false
if marker ~= '-' then
  k = 2
  marker = string.sub(read(KEYS[1]) or '', 1, 100)
  if marker == '' then
    marker = ARGV[2]
    redis.call('SET', KEYS[1], marker)
  end
  forgotten = ARGV[1] ~= '' and ARGV[1] ~= marker
end

local replies = {marker}
while a <= #ARGV do
  local claims, n = {}, tonumber(ARGV[a + 5])
  for i = 1, n do
    local at = a + 3 + 3 * i
    claims[i] = { key = KEYS[k], ms = tonumber(ARGV[at]), channel = ARGV[at + 2] }
    k = k + 1
    if ARGV[at + 1] ~= '0' then
      claims[i].counter, claims[i].lifeMs = KEYS[k], tonumber(ARGV[at + 1])
      k = k + 1
    end
  end
  local fine, reply = true, {3}
  if not forgotten or (ARGV[a] ~= 'A' and ARGV[a] ~= 'C') then
    fine, reply = pcall(carryOut, ARGV[a], ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), claims)
  end
  if not fine then
    if type(reply) ~= 'table' or reply[1] ~= 4 then
      reply = {-1, tostring(type(reply) == 'table' and (reply.err or reply[1]) or reply)}
    end
  end
  replies[#replies + 1] = reply
  a = a + 6 + 3 * n
end
return replies
`;

export const LOCK_SCRIPT = { source: SOURCE, sha: createHash('sha1').update(SOURCE).digest('hex') } as const;
