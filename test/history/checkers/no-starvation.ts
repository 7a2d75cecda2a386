import { majorityUp, overlaps, settledAtMs, type Attempt, type Span, type Story } from '../story.js';
import { tickOf } from '../tick-name.js';
import { heldOnServers } from '../traces.js';
import type { Findings, Violation } from '../verdict.js';

/**
 * P4, P7 and P14: nobody goes without a lock that nobody has. While a majority of the servers is up, nobody is told that they
 * cannot be reached; who is told that the lock is contended is told so because somebody else had it, or was about to; and
 * who waits is not overtaken again and again by others who have asked later, unless it stood still itself.
 */
export function noStarvation(story: Story): Findings {
  const violations: Violation[] = [];
  const held = story.attempts.map((attempt) => ({ attempt, span: heldOnServers(story, attempt) }));
  let judged = 0;
  for (const attempt of story.attempts) {
    const { asked, refused } = attempt;
    const span: Span = { fromMs: asked.atMs, toMs: settledAtMs(attempt) ?? story.endAtMs };
    const rivals = held.filter((other) => other.attempt !== attempt && sharesKey(attempt, other.attempt));
    judged++;

    const later = rivals.filter(({ attempt: { asked: theirs, granted } }) => {
      return granted !== undefined && theirs.atMs > asked.atMs && granted.atMs < span.toMs;
    });
    if (later.length > story.about.mostOvertakes && !stoodStill(story, asked.client, span)) {
      const events = [asked, ...later.flatMap(({ attempt: { granted } }) => granted ?? [])];
      violations.push({ what: `attempt ${asked.attempt} was overtaken ${later.length} times`, events });
    }

    if (refused === undefined || !majorityUp(story, span.fromMs, span.toMs)) continue;
    // A server that falls silent between its vote and the confirmation of the fencing token costs the rest of this try, and
    // whoever was told of the one who tries was told so with reason.
    if (refused.code === 'QUORUM_UNREACHABLE' && steady(story, span) && !stoodStill(story, asked.client, span)) {
      const what = `attempt ${asked.attempt} was told that no majority can be reached, and one was up`;
      violations.push({ what, events: [asked, refused] });
    }
    if (refused.code !== 'LOCK_CONTENDED') continue;
    if (story.removals.some(({ begun }) => asked.keys.includes(begun.key))) continue;
    if (rivals.some((other) => other.span !== undefined && overlaps(other.span, span))) continue;
    if (tickHasRun(attempt, rivals)) continue;
    const around = rivals.filter(({ attempt: other }) => overlaps(span, spanOf(story, other)));
    if ([{ attempt }, ...around].some(({ attempt: other }) => leftEarly(story, other, span))) continue;
    if (![span, ...around.map(({ attempt: other }) => spanOf(story, other))].every((each) => steady(story, each)))
      continue;
    violations.push({
      what: `attempt ${asked.attempt} was told that "${asked.keys.join(', ')}" is contended, and nobody had it`,
      events: [
        asked,
        refused,
        ...around.flatMap(({ attempt: { asked: of, refused: how } }) => (how ? [of, how] : [of])),
      ],
    });
  }
  return { judged, violations };
}

function sharesKey(one: Attempt, other: Attempt): boolean {
  return one.asked.keys.some((key) => other.asked.keys.includes(key));
}

function tickHasRun({ asked }: Attempt, rivals: readonly { readonly attempt: Attempt }[]): boolean {
  const tick = tickOf(asked);
  return (
    tick !== undefined && rivals.some(({ attempt }) => attempt.granted !== undefined && tickOf(attempt.asked) === tick)
  );
}

/** While what it has begun may be in the way: what it takes back is still on its way for a while. */
function spanOf(story: Story, attempt: Attempt): Span {
  return { fromMs: attempt.asked.atMs, toMs: (settledAtMs(attempt) ?? story.endAtMs) + story.about.graceMs };
}

/** Whether no server went away meanwhile. */
function steady({ away }: Story, { fromMs, toMs }: Span): boolean {
  return !away.flat().some((span) => span.fromMs >= fromMs && span.fromMs <= toMs);
}

/** Whether a contender went away in the middle of it, so that its votes may have stood in everybody's way. */
function leftEarly(story: Story, { asked, refused }: Attempt, span: Span): boolean {
  return stoodStill(story, asked.client, span) || (refused !== undefined && refused.code !== 'LOCK_CONTENDED');
}

/** Whether this process was paused or killed meanwhile. */
function stoodStill({ clients }: Story, client: string, { fromMs, toMs }: Span): boolean {
  const { killed, pauses = [] } = clients.get(client) ?? {};
  if (killed !== undefined && killed.atMs <= toMs) return true;
  return pauses.some((pause) => pause.fromMs <= toMs && pause.toMs >= fromMs);
}
