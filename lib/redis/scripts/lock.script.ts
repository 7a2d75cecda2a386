import { createHash } from 'node:crypto';
import { GENERAL_LUA } from './general.lua.js';
import { MARKER_LUA } from './marker.lua.js';
import { MARK, MOST, startOfCount } from './values.lua.js';

/**
 * Carries out a batch of requests, in order.
 *
 * KEYS  the marker, if there is one; then of all requests, one after the other, for each claim: its key, and the key of its
 *       counter if it has one; then the key of the register, if the request is one of a job.
 * ARGV  1 the marker's value as it was last seen ('' takes any, '-' looks at none and KEYS begins with the claims; with a '!' before
 *         it, the server is known to have lost data since),
 *       2 the value that it gets if it is not there, or tells nothing of a loss: then with '@' and the server's time after it,
 *       3 the requests, as one text,
 *       4 and on: the owners that are named in them.
 * A request is: op, which owner (from 1), flags, a space, token, fence, grantedFence, n (how many claims; with a 0 in front where it is
 *       one of a job), and n times: a number of milliseconds, for how many milliseconds its counter lives (0: it has none), how
 *       many bytes its channel has, a colon and the channel (none is 0 bytes); then, of a job, how many bytes its text has, a colon and
 *       the text, as scripts/register.lua.ts describes it. Before each of them is a space but for the channel and that text, and nothing is between
 *       two requests. So nothing that a text holds, of a channel, an owner or a job, can be taken for anything else; a token has neither
 *       spaces nor what is not ASCII.
 *       op 'A' acquire: milliseconds are the ttl. fence is where a counter begins at least that is not there.
 *       op 'C' confirm: the counters become fence at least, if all claims carry the token and grantedFence.
 *       op 'E' extend:  milliseconds are the ttl. The counters live on. Publishes where there is a channel.
 *       op 'H' heal:    as extend, but what is absent is put back under fence.
 *       op 'R' release: for how long each key stays; 0 deletes it. Publishes on the channel how many listen there.
 *       op 'D' remove:  deletes what carries the token, of this package or not, and publishes alike; milliseconds are not used.
 *       op 'I' inspect, op 'T' tell (publishes only), op 'P' steer, op 'J' read: milliseconds and token are not used.
 *       flag 'w': a denial leaves the mark of those who wait on the value that it was denied for.
 *       flag 'g': a grant has that mark from the beginning.
 * Returns the marker's value (for '', where it tells of a loss: an array of that and how many milliseconds ago it was noticed),
 *       and for each request one array, or a text '+n' for {1, n}, which takes a server less time:
 *       {1}  confirmed, renewed (also by heal), steered; inspect: there is nothing.
 *       {1, number}  granted, under this number; removed, and so many were told (a server that lets nobody publish tells
 *            nobody, and the removal stands).
 *       {1, number, gone}  released, and so many were told likewise; gone is 1 where a key did not carry the token any more.
 *       {1, number, version}  granted to a run of a job: the version of the last pause that the register shows.
 *       {1, text, now}  read: the register, and the server's time in milliseconds, 0 where its access list refuses TIME. Four more say
 *            who has the first claim: pttl, token, number, owner.
 *       {2}  extend: at least one key is absent. heal: at least one was, all are there now. confirm: no longer as it was granted. remove: there
 *            was nothing of it.
 *       {0, i, pttl, token, number, owner}  denied, taken or seen: who has the i-th key (from 1). Nothing was changed but the mark.
 *       {3}  acquire and confirm only: the marker has another value, so locks were forgotten. Nothing was changed.
 *       {4, i, text}  acquire, confirm and heal: the counter of the i-th claim cannot be counted on. Nothing was changed.
 *       {5, version, left, reason}  acquire: the job is paused for so many milliseconds, -1 until it is resumed. That its tick needs no run was noted.
 *       {6, owner}  acquire: the tick needs no run, because of a run of this owner, or of none. Nothing was changed.
 *       {7}  acquire, steer and read: something else than a text is in the place of the register. Nothing was changed.
 *       {-1, message}  this request failed, the others did not.
 *
 * A key's value is the token, a space, the number of the grant, a space, the owner, and where somebody waits the mark: a byte that
 * no UTF-8 has. Extend, heal, release and remove publish only where it is, but for values of others; tell always does. The mark
 * stays when the same token is granted again; what is put back has it, because who waits may have marked what was lost. It is
 * written with SET, which an access list has in any case, and only over a value that is there.
 *
 * One claim that is free, released or extended, with nobody who waits, is carried out at once. Where anything is not as it is
 * nearly always, the general part begins anew: by then nothing was written that it does not write again. Arguments of commands are texts, because Lua takes
 * longer to make them of numbers than the server to carry out the command. Every key is declared in KEYS, and the code keeps to
 * what Lua 5.1 and 5.4 share and to integers that both print alike, so that clusters and Dragonfly run it too.
 */
const SOURCE = `
local call, find, ops = redis.pcall, string.find, ARGV[3]
local marker, k, forgotten = ARGV[1], 1, false
if marker ~= '-' then
  k, marker = 2, call('GETRANGE', KEYS[1], '0', '99')
  if marker == '' or marker ~= ARGV[1] then
    ${MARKER_LUA}
  end
end

local readClaims, carryOutAny
local replies, at = {marker}, 1
while at <= #ops do
  local reply
  local _, to, op, token, ms, lifeMs, bytes = find(ops, '^([RE])%d+ (%S*) %d+ %d+ 1 (%d+) (%d+) (%d+):', at)
  if to then
    local head = call('GETRANGE', KEYS[k], '0', '799')
    if type(head) == 'string' then
      local from, to = find(head, '^ %d+ ', #token + 1)
      local digits = from and to - from - 1
      -- A number of 16 digits is below the highest one if it does not begin with a 9.
      local isOurs = digits and (digits < 16 or (digits == 16 and string.byte(head, from + 1) < 57)) and string.sub(head, 1, #token) == token
      if not isOurs then
        reply = op == 'R' and {1, 0, 1} or nil
      elseif bytes == '0' or string.byte(head, -1) ~= 255 then
        local done
        if op == 'R' and ms == '0' then done = call('DEL', KEYS[k]) else done = call('PEXPIRE', KEYS[k], ms) end
        if op == 'E' and lifeMs ~= '0' and type(done) ~= 'table' then done = call('PEXPIRE', KEYS[k + 1], lifeMs) end
        if type(done) ~= 'table' then reply = '+0' end
      end
    end
  elseif not forgotten then
    local whose, flags, fence
    _, to, whose, flags, token, fence, ms, lifeMs, bytes = find(ops, '^A(%d+)(%l*) (%S*) (%d+) %d+ 1 (%d+) (%d+) (%d+):', at)
    local number = to and 0
    if to and lifeMs ~= '0' then
      local count = call('GETRANGE', KEYS[k + 1], '0', '799')
      if count == '' and call('PTTL', KEYS[k + 1]) == -2 then
        local now = call('TIME')
        number = not now.err and ${startOfCount('now', 'tonumber(lifeMs)', 'tonumber(fence)')} + 1
      else
        number = type(count) == 'string' and #count <= 16 and find(count, '^%d+$') and tonumber(count) + 1
      end
    end
    if number and number < ${MOST} then
      local digits = string.format('%d', number)
      local value = token .. ' ' .. digits .. ' ' .. ARGV[3 + whose] .. (flags ~= '' and find(flags, 'g', 1, true) and '${MARK}' or '')
      local set = call('SET', KEYS[k], value, 'NX', 'PX', ms)
      if type(set) == 'table' and set.ok then
        local counted = lifeMs ~= '0' and call('SET', KEYS[k + 1], digits, 'PX', lifeMs)
        if counted and counted.err then
          call('DEL', KEYS[k])
          reply = {-1, 'SET: ' .. counted.err}
        else
          reply = '+' .. digits
        end
      elseif not set then
        local head = call('GETRANGE', KEYS[k], '0', '799')
        if type(head) == 'string' then
          local _, _, holder, digits, start = find(head, '^([!-~]+) (%d+) ()')
          local isMarked = string.byte(head, -1) == 255
          if holder and holder ~= token and #digits < 17 and tonumber(digits) < ${MOST} and (isMarked or not find(flags, 'w', 1, true)) then
            local left = call('PTTL', KEYS[k])
            if type(left) ~= 'table' then
              reply = {0, 1, left, holder, tonumber(digits), string.sub(head, start, isMarked and -2 or -1)}
            end
          end
        end
      end
    end
  end

  if reply then
    at, k = to + bytes + 1, k + (lifeMs ~= '0' and 2 or 1)
  else
    -- A function costs as much as a command where it is made, so the common way makes none, and shares no variable with one.
    if not carryOutAny then
      ${GENERAL_LUA}
      readClaims, carryOutAny = claimsFrom, carryOut
    end
    local _, _, op, whose, flags, token, fence, grantedFence, n, first =
      find(ops, '^(%u)(%d+)(%l*) (%S*) (%d+) (%d+) (%d+)()', at)
    local claims, job
    claims, at, k, job = readClaims(first, k, n)
    if forgotten and (op == 'A' or op == 'C') then
      reply = {3}
    else
      local fine
      fine, reply = pcall(carryOutAny, op, flags, token, ARGV[3 + whose], tonumber(fence), tonumber(grantedFence), claims, job)
      if not fine and (type(reply) ~= 'table' or type(reply[1]) ~= 'number') then
        reply = {-1, tostring(type(reply) == 'table' and (reply.err or reply[1]) or reply)}
      end
    end
  end
  replies[#replies + 1] = reply
end
return replies
`;

export const LOCK_SCRIPT = { source: SOURCE, sha: createHash('sha1').update(SOURCE).digest('hex') } as const;
