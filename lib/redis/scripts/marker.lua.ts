import { NAMES_LUA, VALUES_LUA } from './values.lua.js';

/**
 * What the lock script does about the marker where the server does not show the one that it should, or there is more to it. It
 * sets `marker` and `forgotten`.
 *
 * A marker may end with `@` and when the loss of data was noticed that it stands for: the server's time of day in milliseconds. It
 * gets that from a process that knows the marker of before, and it tells of the loss to processes that have only just
 * started. A marker is replaced where such a process finds one that does not tell of that loss: one without a time, one
 * that is older than what it knows (a snapshot has come back), or the very one that it knows, where the server was restarted.
 * Since then it tells, so no two processes replace each other's.
 *
 * A server that does not allow TIME gets markers without a time, which are not replaced but for the one that is known. One that
 * takes no write now keeps the marker that it has.
 */
export const MARKER_LUA = `
${NAMES_LUA}
${VALUES_LUA}
local lost = sub(ARGV[1], 1, 1) == '!'
local known = lost and sub(ARGV[1], 2) or ARGV[1]
local function timeIn(text)
  local _, _, digits = find(text, '@(%d+)$')
  return digits and #digits < 16 and tonumber(digits) or nil
end

marker = sub(read(KEYS[1]) or '', 1, 100)
forgotten = lost or (known ~= '' and marker ~= known)
local now = call('TIME')
local nowMs = not now.err and now[1] * 1000 + math.floor(now[2] / 1000) or nil
local time = timeIn(marker)
local isOld = marker == known or (nowMs and (not time or time < (timeIn(known) or 0)))
if marker == '' or (forgotten and isOld) then
  local isStamped = forgotten and nowMs
  local fresh = ARGV[2] .. (isStamped and format('@%d', nowMs) or '')
  local set = (marker == '' and run or call)('SET', KEYS[1], fresh)
  if not set.err then marker, time = fresh, isStamped and nowMs or nil end
end
if known == '' and time then marker = {marker, nowMs and math.max(0, nowMs - time) or 0} end
`;
