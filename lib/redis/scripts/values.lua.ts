/** Below 2^53, up to which Lua 5.1 and JavaScript count exactly, and far above the time of day in microseconds. */
export const MOST = '9000000000000000';

/** At the end of a value for which somebody waits, in Lua. */
export const MARK = '\\255';

/** What the parts of the lock script begin with that are not on the common way. */
export const NAMES_LUA = `
local call, find, sub, byte, format = redis.pcall, string.find, string.sub, string.byte, string.format
local ops = ARGV[3]
local MOST = ${MOST}
local MARK = '${MARK}'
`;

/**
 * An expression: where a counter begins, from a reply of TIME. It is the number of the request, or the server's time if that is later, rounded
 * down, so that servers whose clocks are near each other begin at the number of the request. It is rounded to a minute, or to the
 * life of the counter where that is shorter: when a counter has expired its server is a step further.
 */
export function startOfCount(now: string, lifeMs: string, leastStart: string): string {
  const nowMs = `(${now}[1] * 1000 + math.floor(${now}[2] / 1000))`;
  return `math.max(${leastStart}, (${nowMs} - ${nowMs} % math.min(60000, ${lifeMs})) * 1000)`;
}

/**
 * The part of the lock script that reads what is on the server, and trusts none of it: other programs and people may have
 * written anything under the names of locks and of their counters.
 *
 * - `run(name, ...)`: carries out one command. Its error is named by the command, which not every server does.
 * - `holderOf(key)`: nothing, or `{token, number, owner, isLock, waits, head}`. What is not a lock of this package has the number 0,
 *   no owner, and a token that says what it is without holding it: `foreign:` and a digest of its beginning, or `foreign:type` for
 *   what is not a string. So a value of any size, of any bytes, can be told from another one, and named when it is removed.
 *   `waits` says that the value ends with the mark of those who wait, `head` is the value with it.
 * - `countOf(i, claim)`: the number of the claim's counter, or nothing where it is not there. What cannot be counted on ends the
 *   request with the reply {4, i, what it holds}.
 */
export const VALUES_LUA = `
local function run(name, ...)
  local reply = call(name, ...)
  if type(reply) == 'table' and reply.err then error(name .. ': ' .. reply.err, 0) end
  return reply
end

local function numberOf(text)
  local number = #text <= 16 and find(text, '^%d+$') and tonumber(text)
  return number and number < MOST and number
end

-- The first 800 bytes, or nothing where there is none: a lock of this package has no more, and to read 30 MB takes a server a tenth of
-- a second. An access list that was written for an earlier version has GET alone. A second value says that there is something
-- else than a string.
local function read(key, last)
  local head = call('GETRANGE', key, '0', last or '799')
  if head == '' and run('PTTL', key) == -2 then return nil end
  if type(head) ~= 'table' then return head end
  if find(head.err, 'WRONGTYPE', 1, true) then return nil, true end
  local value = call('GET', key)
  if type(value) ~= 'table' then return value and sub(value, 1, (last or 799) + 1) end
  error('GETRANGE: ' .. head.err, 0)
end

-- Token and number of a lock of this package, where its owner begins, and whether the mark is at its end.
local function lockIn(head)
  local _, _, token, digits, start = find(head, '^([!-~]+) (%d+) ()')
  local number = token and numberOf(digits)
  if number then return token, number, start, byte(head, -1) == 255 end
end

local function holderOf(key)
  local head, otherType = read(key)
  if otherType then return {token = 'foreign:type', number = 0, owner = ''} end
  if not head then return nil end
  local token, number, start, waits = lockIn(head)
  if not token then return {token = 'foreign:' .. redis.sha1hex(head), number = 0, owner = ''} end
  local owner = sub(head, start, waits and -2 or -1)
  return {token = token, number = number, owner = owner, isLock = true, waits = waits, head = head}
end

local function countOf(i, claim)
  local value, otherType = read(claim.counter)
  if not value and not otherType then return nil end
  local number = value and numberOf(value)
  if not number or number + 1 >= MOST then
    error({4, i, value and '"' .. sub(value, 1, 40) .. '"' or 'something else than a string'}, 0)
  end
  return number
end
`;
