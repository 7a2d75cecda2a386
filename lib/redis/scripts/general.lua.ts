import { REGISTER_LUA } from './register.lua.js';
import { NAMES_LUA, startOfCount, VALUES_LUA } from './values.lua.js';

/**
 * The part of the lock script that carries out any request: several claims, values that others have written, waiters, and all
 * operations. What nearly every call is made of (one key that is free, one lock that is ours) does not come here.
 */
export const GENERAL_LUA = `
${NAMES_LUA}
${VALUES_LUA}
-- The claims of a request, where in the text and in KEYS the next request begins, and the job of this one.
local function claimsFrom(at, k, n)
  local claims, job = {}, nil
  for i = 1, tonumber(n) do
    local _, to, ms, lifeMs, bytes = find(ops, '^ (%d+) (%d+) (%d+):', at)
    local claim = {key = KEYS[k], ms = ms, channel = sub(ops, to + 1, to + bytes)}
    at, k = to + bytes + 1, k + 1
    if lifeMs ~= '0' then
      claim.counter, claim.lifeMs = KEYS[k], lifeMs
      k = k + 1
    end
    claims[i] = claim
  end
  if byte(n) == 48 then
    local _, to, bytes = find(ops, '^ (%d+):', at)
    job, at, k = {key = KEYS[k], text = sub(ops, to + 1, to + bytes)}, to + bytes + 1, k + 1
  end
  return claims, at, k, job
end

-- As the general part: it is made where it is called first, and kept for the rest of the batch.
local registerPart
local function registers()
  if registerPart then return registerPart end
  ${REGISTER_LUA}
  registerPart = {deny = deny, note = note, steer = steer, show = show}
  return registerPart
end

local function raise(claim, number)
  run('SET', claim.counter, format('%d', number), 'PX', claim.lifeMs)
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
      local now = claim.count or run('TIME')
      highest = math.max(highest, claim.count or ${startOfCount('now', 'tonumber(claim.lifeMs)', 'leastStart')})
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
  local listeners = call('PUBSUB', 'NUMSUB', claim.channel)
  local told = call('PUBLISH', claim.channel, listeners[2] or '')
  return tonumber(listeners[2] or told) or 0
end

-- One that never expires is not ours, and nobody listens for its end. A server that takes no write now says who it is all the same.
local function markWaiting(key, holder, pttl)
  if holder.isLock and not holder.waits and pttl > 0 and #holder.head < 800 then
    call('SET', key, holder.head .. MARK, 'XX', 'KEEPTTL')
  end
end

local function remove(token, claims)
  local removed, told = 0, 0
  for _, claim in ipairs(claims) do
    local holder = holderOf(claim.key)
    if holder and holder.token == token then
      run('DEL', claim.key)
      removed = removed + 1
      if holder.waits or not holder.isLock then told = math.max(told, tell(claim)) end
    end
  end
  if removed == 0 then return {2} end
  return {1, told}
end

local function carryOut(op, flags, token, owner, fence, grantedFence, claims, job)
  if op == 'T' then
    for _, claim in ipairs(claims) do tell(claim) end
    return {1}
  end
  if op == 'D' then return remove(token, claims) end
  local register = job and registers()
  if op == 'P' then return register.steer(job) end
  if op == 'J' then return register.show(job, claims) end
  local denial = job and op == 'A' and register.deny(job, token, claims)
  if denial then return denial end

  local held, all = {}, true
  for i, claim in ipairs(claims) do
    local holder = holderOf(claim.key)
    if holder and holder.token == token then
      held[i] = holder
    else
      all = false
      if holder and not claim.yields and (op == 'A' or op == 'E' or op == 'H' or op == 'I') then
        local pttl = run('PTTL', claim.key)
        if find(flags, 'w', 1, true) then markWaiting(claim.key, holder, pttl) end
        return {0, i, pttl, holder.token, holder.number, holder.owner}
      end
    end
    if op == 'C' and (not held[i] or held[i].number ~= grantedFence) then return {2} end
  end

  if op == 'I' then return {1} end

  local number = fence
  if op == 'C' or op == 'H' or (op == 'A' and not all) then readCounters(claims) end
  if op == 'A' then
    number = 0
    for i = 1, #claims do number = all and math.max(number, held[i].number) or 0 end
    if not all then number = countOn(claims, fence) end
    if job then register.note(job, token, op, number) end
  end

  local told = 0
  for i, claim in ipairs(claims) do
    local holder = held[i]
    if op == 'C' then
      catchUp(claim, fence)
    elseif (op == 'E' or op == 'H') and holder then
      run('PEXPIRE', claim.key, claim.ms)
      if claim.counter then run('PEXPIRE', claim.counter, claim.lifeMs) end
      if holder.waits then tell(claim) end
    elseif op == 'A' or op == 'H' then
      local waits = op == 'H' or find(flags, 'g', 1, true) or (holder and holder.waits)
      local value = token .. ' ' .. format('%d', number) .. ' ' .. owner .. (waits and MARK or '')
      run('SET', claim.key, value, 'PX', claim.ms)
      if op == 'H' then catchUp(claim, fence) end
    elseif op == 'R' and holder then
      if claim.ms ~= '0' then run('PEXPIRE', claim.key, claim.ms) else run('DEL', claim.key) end
      if holder.waits then told = math.max(told, tell(claim)) end
    end
  end
  if op == 'A' then return {1, number, job and job.register.version} end
  -- A register that cannot be written must not keep the lock from its end.
  if job then pcall(register.note, job, token, op, fence) end
  if op == 'R' then return {1, told, all and 0 or 1} end
  if (op == 'E' or op == 'H') and not all then return {2} end
  return {1}
end
`;
