/**
 * The part of the lock script that keeps the register of a job. The form of its text, and what its letters mean, is in core/register.ts.
 *
 * A job is `{key, text}`; the text is what the request says of it:
 *   acquire, release: `<trigger> <tick> <started> <ended> <outcome> <owner> <error>`, the line of the run without its token and its number;
 *            outcome r in a release: there was no run, and its line is removed.
 *   steer:   `<version> <for how many milliseconds it is paused, 0 or *> <covered> <reason>`.
 *   read:    nothing.
 *
 * - `deny(job, token, claims)`: the reply of an acquire that the register denies, or nothing. For trigger `a` the last claim, that
 *   of the tick, may be taken from the token of the first run.
 * - `note(job, token, op, number)`: adds the run, or removes it. What cannot be written is an error.
 * - `steer(job)`, `show(job, claims)`: the replies to these.
 *
 * A register that is not of this form was written by another program, and is taken for an empty one. No pattern goes over more than one line:
 * with what others may have written it could keep the server from its other clients.
 */
export const REGISTER_LUA = `
local DAY_MS = 86400000

local function timeMs(now)
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- 20 runs are less than this.
local function textOf(key)
  local text, otherType = read(key, '16383')
  if otherType then error({7}, 0) end
  return text or ''
end

-- left: for how many milliseconds the job is paused. text: the lines after the header.
local function registerOf(job)
  if job.register then return job.register end
  local register = {version = 0, ends = '-', left = 0, covered = 0, reason = '-', text = ''}
  job.register = register
  local text = textOf(job.key)
  local to = find(text, '\\n', 1, true)
  local _, _, version, ends, covered, reason =
    find(sub(text, 1, to and to <= 661 and to - 1 or 0), '^(%d+) ([%d*-]+) (%d+) ([!-~]+)$')
  version, covered = version and numberOf(version), version and numberOf(covered)
  local endMs = ends and numberOf(ends)
  if not (version and covered and (endMs or ends == '-' or ends == '*')) then return register end
  register.version, register.covered, register.reason, register.text = version, covered, reason, sub(text, to + 1)
  local left = ends == '*' and math.huge or endMs and endMs - timeMs(run('TIME')) or 0
  register.ends, register.left = ends, math.max(0, left)
  return register
end

-- The lines of the runs. They are taken apart by runIn alone, where they matter: most acquires of a tick are denied by its claim.
local function linesOf(register)
  if register.lines then return register.lines end
  local lines, from = {}, 1
  register.lines = lines
  for _ = 1, 20 do
    local to = find(register.text, '\\n', from, true)
    if not to then break end
    if to - from <= 780 then lines[#lines + 1] = sub(register.text, from, to - 1) end
    from = to + 1
  end
  return lines
end

local function runIn(line)
  local _, _, token, trigger, tick, outcome, owner =
    find(line, '^([!-~]+) %d+ ([smca]) (%d+) %d+ %d+ ([rsfl]) ([!-~]+) [!-~]+$')
  return token, numberOf(tick or ''), trigger, outcome, owner
end

local function write(job, call)
  local register = registerOf(job)
  local header = format('%d', register.version) .. ' ' .. register.ends .. ' ' .. format('%d', register.covered) .. ' ' .. register.reason
  local lines = linesOf(register)
  local text = header .. '\\n' .. table.concat(lines, '\\n') .. (#lines > 0 and '\\n' or '')
  if register.left == math.huge then
    call('SET', job.key, text)
  else
    call('SET', job.key, text, 'PX', format('%d', register.left + 30 * DAY_MS))
  end
end

-- Such a run may yet be undone, or be one of several that contend: it denies with its lock, by which they see one another.
local function hasLock(token, claims)
  local holder = holderOf(claims[1].key)
  return holder and holder.token == token
end

local function deny(job, token, claims)
  local register = registerOf(job)
  local _, _, trigger, tick = find(job.text, '^(%l) (%d+) ')
  tick = tonumber(tick)
  if register.left > 0 then
    register.covered = math.max(register.covered, tick)
    write(job, call)
    return {5, register.version, register.left < math.huge and register.left or -1, register.reason}
  end
  if trigger ~= 'c' and trigger ~= 'a' then return nil end
  if trigger == 'c' and tick <= register.covered then return {6, ''} end
  for _, line in ipairs(linesOf(register)) do
    local other, otherTick, otherTrigger, outcome, owner = runIn(line)
    if otherTick and other ~= token then
      local isSecond = tick == otherTick and (outcome ~= 'r' or otherTrigger == 'a')
      local isNeedless = (trigger == 'c' and tick <= otherTick) or (trigger == 'a' and isSecond)
      if isNeedless and not (outcome == 'r' and hasLock(other, claims)) then return {6, owner} end
    end
  end
  if trigger == 'a' and #claims > 1 then claims[#claims].yields = true end
end

local function note(job, token, op, number)
  local register = registerOf(job)
  local start, lines, place = token .. ' ', {}, nil
  for _, line in ipairs(linesOf(register)) do
    local _, _, _, outcome = runIn(line)
    if sub(line, 1, #start) ~= start then
      lines[#lines + 1] = line
    -- A run that has ended begins no more: its acquire was delivered twice.
    elseif op == 'A' and outcome ~= 'r' then
      return
    else
      place = #lines + 1
    end
  end
  if op == 'A' or not find(job.text, '^%l %d+ %d+ %d+ r ') then
    table.insert(lines, place or 1, start .. format('%d', number) .. ' ' .. job.text)
  elseif not place then
    return
  end
  if #lines > 20 then
    local _, tick = runIn(table.remove(lines))
    register.covered = math.max(register.covered, tick or 0)
  end
  register.lines = lines
  write(job, run)
end

local function steer(job)
  local register = registerOf(job)
  local _, _, version, left, covered, reason = find(job.text, '^(%d+) (%S+) (%d+) (%S+)$')
  if tonumber(version) > register.version then
    register.version, register.reason = tonumber(version), reason
    register.left = left == '*' and math.huge or tonumber(left)
    register.ends = left == '0' and '-' or left
    if left ~= '0' and left ~= '*' then register.ends = format('%d', timeMs(run('TIME')) + register.left) end
  end
  register.covered = math.max(register.covered, tonumber(covered))
  write(job, run)
  return {1}
end

local function show(job, claims)
  local text, now, key = textOf(job.key), call('TIME'), claims[1].key
  local reply, holder = {1, text, now.err and 0 or timeMs(now)}, holderOf(key)
  if holder then
    reply[4], reply[5], reply[6], reply[7] = run('PTTL', key), holder.token, holder.number, holder.owner
  end
  return reply
end
`;
