import { againOnce } from './checkers/again-once.js';
import { coveredTicksStay } from './checkers/covered-ticks-stay.js';
import { diedOnlyWithoutAnEnd } from './checkers/died-only-without-an-end.js';
import { eventsAgree } from './checkers/events-agree.js';
import { fencingOrder } from './checkers/fencing-order.js';
import { mutualExclusion } from './checkers/mutual-exclusion.js';
import { noGhost } from './checkers/no-ghost.js';
import { noLostTick } from './checkers/no-lost-tick.js';
import { noStarvation } from './checkers/no-starvation.js';
import { noRunLostByAPause } from './checkers/no-run-lost-by-a-pause.js';
import { nothingLeft } from './checkers/nothing-left.js';
import { oneRunATick } from './checkers/one-run-a-tick.js';
import { pausedJobsStay } from './checkers/paused-jobs-stay.js';
import { registerIsFresh } from './checkers/register-is-fresh.js';
import { settlesInTime } from './checkers/settles-in-time.js';
import { signalInTime } from './checkers/signal-in-time.js';
import type { CheckerName, History } from './events.js';
import { read } from './read.js';
import type { Operations } from './operations.js';
import type { Findings, Verdict } from './verdict.js';

/** Every checker, by the name under which it is known. None of them touches a system: they read what was written down. */
export const CHECKERS: Readonly<Record<CheckerName, (operations: Operations) => Findings>> = {
  'mutual exclusion': mutualExclusion,
  'fencing order': fencingOrder,
  'one run a tick': oneRunATick,
  'no lost tick': noLostTick,
  'settles in time': settlesInTime,
  'no ghost': noGhost,
  'nothing left': nothingLeft,
  'signal in time': signalInTime,
  'no starvation': noStarvation,
  'events agree': eventsAgree,
  'paused jobs stay': pausedJobsStay,
  'no run lost by a pause': noRunLostByAPause,
  'register is fresh': registerIsFresh,
  'died only without an end': diedOnlyWithoutAnEnd,
  'covered ticks stay': coveredTicksStay,
  'again once': againOnce,
};

/** What each checker says of this history. */
export function check(history: History): readonly Verdict[] {
  const operations = read(history);
  return (Object.keys(CHECKERS) as CheckerName[]).map((checker) => conclude(checker, operations));
}

/** A breach is one whatever is missing; but where something is missing, finding none proves nothing. */
function conclude(checker: CheckerName, operations: Operations): Verdict {
  const outside = operations.about.outside?.[checker];
  if (outside !== undefined) return { checker, judged: 0, outcome: 'unknown', why: 'outside', reason: outside };
  const { judged, violations, gaps = [] } = CHECKERS[checker](operations);
  if (violations.length > 0) return { checker, judged, outcome: 'violated', violations };
  const [gap] = [...operations.gaps, ...gaps];
  if (gap !== undefined) return { checker, judged, outcome: 'unknown', why: 'incomplete', reason: gap };
  if (judged > 0) return { checker, judged, outcome: 'holds' };
  return { checker, judged, outcome: 'unknown', why: 'nothing', reason: 'nothing happened that there is to judge' };
}
