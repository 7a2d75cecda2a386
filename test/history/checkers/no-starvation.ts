import {
  keptMs,
  majorityUp,
  nodeTimeoutMs,
  overlaps,
  settledAtMs,
  type Attempt,
  type Span,
  type Operations,
  type Removal,
} from '../operations.js';
import { mayBePaused } from '../steerings.js';
import { tickOf } from '../tick-name.js';
import { heldOnServers } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';

interface Rival {
  readonly attempt: Attempt;
  /** While it may have kept others from its keys. */
  readonly span: Span | undefined;
}

/**
 * P4, P7 and P14: nobody goes without a lock that nobody has. While a majority of the servers is up, nobody is told that they
 * cannot be reached; who is told that the lock is contended is told so because somebody else had it, or was about to; who
 * waits is not overtaken again and again by others who have asked later, and does not wait for long for what nobody has.
 */
export function noStarvation(operations: Operations): Findings {
  const held = operations.attempts.map((attempt): Rival => ({ attempt, span: heldOnServers(operations, attempt) }));
  const violations = operations.attempts.flatMap((attempt) => {
    const span: Span = { fromMs: attempt.asked.atMs, toMs: settledAtMs(attempt) ?? operations.endAtMs };
    const rivals = held.filter((other) => other.attempt !== attempt && sharesKey(attempt, other.attempt));
    return [
      ...overtaken(operations, attempt, rivals, span),
      ...unreachable(operations, attempt, rivals, span),
      ...refusedInVain(operations, attempt, rivals, held, span),
      ...waitedInVain(operations, attempt, rivals, span),
    ];
  });
  return { judged: operations.attempts.length, violations };
}

function overtaken(operations: Operations, { asked }: Attempt, rivals: readonly Rival[], span: Span): Violation[] {
  const later = rivals.filter(({ attempt: { asked: theirs, granted } }) => {
    return granted !== undefined && theirs.atMs > asked.atMs && granted.atMs < span.toMs;
  });
  if (later.length <= operations.about.mostOvertakes || stoodStill(operations, asked.client, span)) return [];
  const events = [asked, ...later.flatMap(({ attempt: { granted } }) => granted ?? [])];
  return [{ what: `attempt ${asked.attempt} was overtaken ${later.length} times`, events }];
}

/**
 * A server that falls silent between its vote and the confirmation of the fencing token costs the rest of this try, and
 * whoever was told of the one who tries was told so with reason. In a contest those who reach different servers may each
 * believe that they lead, and use up the time of a short wait.
 */
function unreachable(
  operations: Operations,
  { asked, refused }: Attempt,
  rivals: readonly Rival[],
  span: Span,
): Violation[] {
  if (refused?.code !== 'QUORUM_UNREACHABLE' || !majorityUp(operations, span.fromMs, span.toMs)) return [];
  if (!steady(operations, span) || stoodStill(operations, asked.client, span)) return [];
  if (someAway(operations, span) && rivals.some(({ attempt }) => overlaps(span, spanOf(operations, attempt))))
    return [];
  // A lock that is removed by force before a majority has confirmed its fencing token is not taken by the one who asks for few rounds.
  if (
    operations.removals.some((removal) => asked.keys.includes(removal.begun.key) && isNear(operations, removal, span))
  )
    return [];
  if (connectsAnew(operations, asked.client, span.fromMs)) return [];
  const what = `attempt ${asked.attempt} was told that no majority can be reached, and one was up`;
  return [{ what, events: [asked, refused] }];
}

function refusedInVain(
  operations: Operations,
  attempt: Attempt,
  rivals: readonly Rival[],
  all: readonly Rival[],
  span: Span,
): Violation[] {
  const { asked, refused } = attempt;
  if (refused?.code !== 'LOCK_CONTENDED' || !majorityUp(operations, span.fromMs, span.toMs)) return [];
  if (isRemoved(operations, attempt) || tickHasRun(attempt, rivals) || isDeniedByRegister(operations, attempt, rivals))
    return [];
  if (rivals.some((other) => other.span !== undefined && overlaps(other.span, span))) return [];
  const around = rivals.filter(({ attempt: other }) => overlaps(span, spanOf(operations, other)));
  // Who asks for few rounds may leave a contest before it is settled.
  if (asked.maxRetries !== undefined && around.length > 0) return [];
  if (
    around.length > 0 &&
    (leftUndecided(operations, attempt, span) || hangsOnOthers(operations, attempt, around, all))
  )
    return [];
  if ([{ attempt }, ...around].some(({ attempt: other }) => leftEarly(operations, other))) return [];
  if (
    ![span, ...around.map(({ attempt: other }) => spanOf(operations, other))].every((each) => steady(operations, each))
  ) {
    return [];
  }
  return [
    {
      what: `attempt ${asked.attempt} was told that "${asked.keys.join(', ')}" is contended, and nobody had it`,
      events: [
        asked,
        refused,
        ...around.flatMap(({ attempt: { asked: of, refused: how } }) => (how ? [of, how] : [of])),
      ],
    },
  ];
}

/** A contest that hangs on a server that does not answer takes a node timeout longer. A try that may not wait that long says "undecided". */
function leftUndecided(operations: Operations, { asked, refused }: Attempt, span: Span): boolean {
  const waitMs = asked.waitMs ?? Infinity;
  return refused?.reason === 'undecided' && waitMs <= nodeTimeoutMs(asked, asked.ttlMs) && someAway(operations, span);
}

/**
 * A rival that wants another key besides, which a third attempt has, is denied in the end. Until its votes are undone, they keep the key
 * that it shares with this attempt.
 */
function hangsOnOthers(
  operations: Operations,
  { asked }: Attempt,
  around: readonly Rival[],
  all: readonly Rival[],
): boolean {
  return around.some(({ attempt: rival }) => {
    const others = rival.asked.keys.filter((key) => !asked.keys.includes(key));
    const isThird = ({ attempt, span }: Rival): boolean =>
      span !== undefined &&
      attempt !== rival &&
      attempt.asked.keys.some((key) => others.includes(key)) &&
      overlaps(span, spanOf(operations, rival));
    return all.some(isThird);
  });
}

function waitedInVain(operations: Operations, attempt: Attempt, rivals: readonly Rival[], span: Span): Violation[] {
  const { asked, granted, refused } = attempt;
  const { mostIdleMs } = operations.about;
  if (span.toMs - span.fromMs <= mostIdleMs || !majorityUp(operations, span.fromMs, span.toMs)) return [];
  const around = rivals.filter(({ attempt: other }) => overlaps(span, spanOf(operations, other)));
  // Who sees the claim of a tick on too few servers to know that it has run waits for it in vain, and loses nothing.
  if (isRemoved(operations, attempt) || tickHasRun(attempt, rivals) || !steady(operations, span)) return [];
  if (isDeniedByRegister(operations, attempt, rivals)) return [];
  if ([{ attempt }, ...around].some(({ attempt: other }) => stoodStill(operations, other.asked.client, span)))
    return [];
  const idle = longestGap(
    span,
    rivals.flatMap((other) => coverOf(operations, other)),
  );
  // Who has given it back leaves the first go to those who were told of that, also where none of them comes any more.
  const { courtesyMs } = operations.about;
  const courteous = rivals.some(({ attempt: { asked: theirs, released } }) => {
    const releasedAtMs = theirs.client === asked.client ? (released?.atMs ?? Infinity) : Infinity;
    return releasedAtMs >= idle.fromMs - courtesyMs && releasedAtMs <= idle.toMs;
  });
  if (idle.toMs - idle.fromMs <= mostIdleMs + (courteous ? courtesyMs : 0)) return [];
  if (rivals.some(({ attempt: other }) => wasForgotten(operations, other, idle))) return [];
  const settled = granted ?? refused;
  return [
    {
      what: `attempt ${asked.attempt} waited for "${asked.keys.join(', ')}" from ${idle.fromMs} to ${idle.toMs}, and nobody had it`,
      events: settled ? [asked, settled] : [asked],
    },
  ];
}

/**
 * While others could not have it. With all well, a lock is free as soon as its release has settled. Who was refused had it
 * for a while where a server fell silent between its vote and the confirmation of the fencing token.
 */
function coverOf(operations: Operations, { attempt, span }: Rival): Span[] {
  const { about } = operations;
  const { asked, granted, released, refused } = attempt;
  if (refused !== undefined && !steady(operations, spanOf(operations, attempt))) {
    const asking = spanOf(operations, attempt);
    const away = operations.away.flat().filter((each) => overlaps(each, asking));
    const backAtMs = Math.max(asking.toMs, ...away.map(({ toMs }) => toMs));
    // What was under way all that time is granted then, and stays for its ttl where its process stands still and does not undo it.
    const stays = stoodStill(operations, asked.client, { fromMs: asking.toMs, toMs: backAtMs });
    return [stays ? { ...asking, toMs: backAtMs + asked.ttlMs } : asking];
  }
  if (span === undefined || granted === undefined || released === undefined) return span ? [span] : [];
  if (released.code !== undefined) return [span];
  const longMs = keptMs(operations, attempt);
  const keptUntilMs = granted.atMs + longMs;
  // A server that carries the release out late keeps the lock for so much longer, and says so to those who wait.
  const late = longMs > 0 && !steady(operations, { fromMs: asked.atMs, toMs: keptUntilMs });
  if (late) return [{ fromMs: span.fromMs, toMs: span.toMs + longMs }];
  return [{ fromMs: span.fromMs, toMs: Math.max(released.atMs, keptUntilMs) + about.toleranceMs }];
}

/** A server that has forgotten the lock before this time has nothing to release, and tells nobody. */
function wasForgotten({ about, lost }: Operations, { granted, released }: Attempt, idle: Span): boolean {
  if (granted === undefined || granted.atMs > idle.fromMs) return false;
  if ((released?.atMs ?? Infinity) + about.toleranceMs < idle.fromMs) return false;
  return lost.some(({ atMs }) => atMs >= granted.atMs && atMs <= idle.toMs);
}

/** The longest part of the span that none of the others cover. */
function longestGap(span: Span, covers: readonly Span[]): Span {
  let gap: Span = { fromMs: span.fromMs, toMs: span.fromMs };
  let { fromMs } = span;
  for (const cover of [...covers, { fromMs: span.toMs, toMs: span.toMs }].sort((one, two) => one.fromMs - two.fromMs)) {
    const toMs = Math.min(cover.fromMs, span.toMs);
    if (toMs - fromMs > gap.toMs - gap.fromMs) gap = { fromMs, toMs };
    fromMs = Math.max(fromMs, cover.toMs);
  }
  return gap;
}

function isRemoved({ removals }: Operations, { asked }: Attempt): boolean {
  return removals.some(({ begun }) => asked.keys.includes(begun.key));
}

/** Whether it may have been carried out in this time. */
function isNear({ about, endAtMs }: Operations, { begun, settled }: Removal, { fromMs, toMs }: Span): boolean {
  return begun.atMs <= toMs && (settled?.atMs ?? endAtMs) + about.graceMs >= fromMs;
}

/** Where the job may be paused other checkers say whether it was. And a tick may need no run, because of what others have asked for. */
function isDeniedByRegister(operations: Operations, attempt: Attempt, rivals: readonly Rival[]): boolean {
  const { asked, granted, refused } = attempt;
  const { job, tick, trigger, atMs } = asked;
  if (job === undefined) return false;
  const span = { fromMs: atMs, toMs: (granted ?? refused)?.atMs ?? operations.endAtMs };
  if (mayBePaused(operations, job, span)) return true;
  if (tick === undefined || (trigger !== 'catch-up' && trigger !== 'again')) return false;
  // A server that has heard of a pause needs no run of the ticks of before its end any more.
  const due = operations.due.find(({ tickAtMs }) => tickAtMs === tick.atMs);
  if (trigger === 'catch-up' && due !== undefined && mayBePaused(operations, job, { ...span, fromMs: due.atMs }))
    return true;
  const isSame = (atMs = -Infinity): boolean => (trigger === 'again' ? atMs === tick.atMs : atMs >= tick.atMs);
  if (operations.steerings.some(({ begun }) => begun.job === job && isSame(begun.tickAtMs))) return true;
  return rivals.some(({ attempt: other }) => {
    if (other.asked.job !== job || !isSame(other.asked.tick?.atMs)) return false;
    // What is there to be run again.
    const hasDied = other.granted !== undefined && other.releasing === undefined && other.aborted === undefined;
    if (trigger === 'again' && other.asked.trigger !== 'again' && hasDied) return false;
    const isUndone = other.refused !== undefined && !leftEarly(operations, other);
    return other.refused?.reason === 'paused' || !isUndone || !steady(operations, spanOf(operations, other));
  });
}

function sharesKey(one: Attempt, other: Attempt): boolean {
  return one.asked.keys.some((key) => other.asked.keys.includes(key));
}

function tickHasRun({ asked }: Attempt, rivals: readonly Rival[]): boolean {
  const tick = tickOf(asked);
  return (
    tick !== undefined && rivals.some(({ attempt }) => attempt.granted !== undefined && tickOf(attempt.asked) === tick)
  );
}

/** While what it has begun may be in the way: what it takes back is still on its way for a while. */
function spanOf(operations: Operations, attempt: Attempt): Span {
  return { fromMs: attempt.asked.atMs, toMs: (settledAtMs(attempt) ?? operations.endAtMs) + operations.about.graceMs };
}

/** Whether a server was away at any time of it. */
function someAway({ away }: Operations, { fromMs, toMs }: Span): boolean {
  return away.flat().some((span) => span.fromMs <= toMs && span.toMs >= fromMs);
}

/** Whether nothing befell a server meanwhile. */
function steady({ befallenAtMs }: Operations, { fromMs, toMs }: Span): boolean {
  return !befallenAtMs.some((atMs) => atMs >= fromMs && atMs <= toMs);
}

/** Whether a contender went away in the middle of it: it may have had the lock, and not known, or its votes were in the way. */
function leftEarly(operations: Operations, attempt: Attempt): boolean {
  const { asked, refused } = attempt;
  const gone = refused !== undefined && refused.code !== 'LOCK_CONTENDED';
  return gone || stoodStill(operations, asked.client, spanOf(operations, attempt));
}

/** Whether it has just stood still while a server went away: it notices that now. */
function connectsAnew(operations: Operations, client: string, atMs: number): boolean {
  const { pauses = [] } = operations.clients.get(client) ?? {};
  const { graceMs } = operations.about;
  return pauses.some((pause) => pause.fromMs <= atMs && pause.toMs + graceMs >= atMs && someAway(operations, pause));
}

/** Whether this process was paused or killed meanwhile. */
function stoodStill({ clients }: Operations, client: string, { fromMs, toMs }: Span): boolean {
  const { killed, pauses = [] } = clients.get(client) ?? {};
  if (killed !== undefined && killed.atMs <= toMs) return true;
  return pauses.some((pause) => pause.fromMs <= toMs && pause.toMs >= fromMs);
}
