import type { CheckerName } from '../../history/events.js';

/** A fault put into the code on purpose: in this file this text, which is there exactly once, becomes that one. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
  /** Who must find it, */
  readonly checker: CheckerName;
  /** and within how many seeds. */
  readonly seeds: number;
}

/**
 * The lock script runs on the servers, and so in the simulator as its model. What is wrong there is put into the model; that the
 * script is what its model is, is up to the contract suite.
 */
const SCRIPT = 'test/simulation/model-script.ts';

export const MUTANTS: readonly Mutant[] = [
  // Who has a majority.
  {
    name: 'a quorum is one short',
    file: 'lib/core/vote.ts',
    text: 'Math.floor(servers / 2) + 1',
    becomes: 'Math.max(1, Math.floor(servers / 2))',
    checker: 'mutual exclusion',
    seeds: 500,
  },
  {
    name: 'a server that failed counts as if it had granted',
    file: 'lib/core/verdicts.ts',
    text: "const granted = count(votes, 'granted');",
    becomes: "const granted = count(votes, 'granted') + (count(votes, 'granted') && count(votes, 'failed'));",
    checker: 'no starvation',
    seeds: 500,
  },
  {
    name: 'a contested vote is taken for a held lock',
    file: 'lib/core/verdicts.ts',
    text: 'if (rival.votes >= majority) {',
    becomes: 'if (rival.votes >= 1) {',
    checker: 'no starvation',
    seeds: 500,
  },
  {
    name: 'in a contest nobody gives votes back',
    file: 'lib/core/attempt.ts',
    text: "const keep = decision.kind === 'contested' && decision.leading && led < LEADER_ROUNDS;",
    becomes: "const keep = decision.kind === 'contested';",
    checker: 'no starvation',
    seeds: 3000,
  },
  {
    name: 'of several keys only the first is claimed',
    file: 'lib/client/options/acquire-plan.ts',
    text: 'keys.toSorted().map(',
    becomes: 'keys.toSorted().slice(0, 1).map(',
    checker: 'mutual exclusion',
    seeds: 500,
  },
  // How long a lock is valid.
  {
    name: 'a suspension of the machine is not noticed',
    file: 'lib/core/suspension.ts',
    text: 'return now.leastAheadMs - since.mostAheadMs > explainedMs;',
    becomes: 'return now.leastAheadMs - since.mostAheadMs > 1e12 + explainedMs;',
    checker: 'mutual exclusion',
    seeds: 3000,
  },
  {
    name: 'the validity counts from after the reply',
    file: 'lib/core/round.ts',
    text: 'deadlineAtMs: deadlineAtMs(askedAt.atMs,',
    becomes: 'deadlineAtMs: deadlineAtMs(clock.nowMs(),',
    checker: 'mutual exclusion',
    seeds: 3000,
  },
  {
    name: 'clocks are not expected to drift',
    file: 'lib/core/validity.ts',
    text: 'return ttlMs * driftFactor + 2;',
    becomes: 'return ttlMs * driftFactor * 0;',
    checker: 'mutual exclusion',
    seeds: 1000,
  },
  {
    name: 'an extension counts from after the reply',
    file: 'lib/core/lock.ts',
    text: 'if (this.#deadline.onRenewed(sent)) {',
    becomes: 'if (this.#deadline.onRenewed(this.#deadline.onSent(ttlMs))) {',
    checker: 'mutual exclusion',
    seeds: 3000,
  },
  {
    name: 'an extension that is shorter, and not confirmed, does not bind',
    file: 'lib/core/deadline.ts',
    text: 'this.#atMs = Math.min(this.#atMs, sent.deadlineAtMs);',
    becomes: '',
    checker: 'mutual exclusion',
    seeds: 5000,
  },
  {
    name: 'a grant is handed out whose validity is over',
    file: 'lib/core/round.ts',
    text: 'now.atMs + uncountedMs(askedAt, now, rules.driftFactor) >= grant.deadlineAtMs || this.limits.tickIsOver()',
    becomes: 'clock.nowMs() < 0',
    checker: 'signal in time',
    seeds: 3000,
  },
  {
    name: 'no timer guards the end of the validity',
    file: 'lib/core/lock.ts',
    text: 'Math.floor(leftMs * (1 - rules.driftFactor)) - 1);',
    becomes: '1e9);',
    checker: 'signal in time',
    seeds: 500,
  },
  {
    name: 'the timer that guards the validity is 5 ms late',
    file: 'lib/core/lock.ts',
    text: 'Math.floor(leftMs * (1 - rules.driftFactor)) - 1);',
    becomes: 'Math.floor(leftMs) + 5);',
    checker: 'signal in time',
    seeds: 500,
  },
  // Extension.
  {
    name: 'healed servers count as renewed',
    file: 'lib/core/verdicts.ts',
    text: "if (count(votes, 'renewed') >= majority) return 'renewed';",
    becomes: "if (count(votes, 'renewed') + count(votes, 'absent') >= majority) return 'renewed';",
    checker: 'signal in time',
    seeds: 5000,
  },
  {
    name: 'an extension with too few answers counts as a success',
    file: 'lib/core/verdicts.ts',
    text: "votes.length === servers) ? 'unknown' : undefined;",
    becomes: "votes.length === servers) ? 'renewed' : undefined;",
    checker: 'mutual exclusion',
    seeds: 3000,
  },
  // Fencing.
  {
    name: 'a fencing token is not written back',
    file: 'lib/core/fence.ts',
    text: 'return agree >= majorityOf(servers) ? fence : undefined;',
    becomes: 'return fence;',
    checker: 'fencing order',
    seeds: 1000,
  },
  {
    name: 'a grant that has not come yet counts for the fencing token',
    file: 'lib/core/fence.ts',
    text: "if (vote.outcome === 'granted' && vote.fence === fence) agree++;",
    becomes: "if (vote.outcome === 'unanswered' || (vote.outcome === 'granted' && vote.fence === fence)) agree++;",
    checker: 'fencing order',
    seeds: 1000,
  },
  {
    name: 'a fencing token is confirmed by one server',
    file: 'lib/core/verdicts.ts',
    text: "if (confirmed >= majority) return 'confirmed';",
    becomes: "if (confirmed >= 1) return 'confirmed';",
    checker: 'fencing order',
    seeds: 5000,
  },
  {
    name: 'the lowest number is taken instead of the highest',
    file: 'lib/core/fence.ts',
    text: 'highest = Math.max(highest, vote.fence);',
    becomes: 'highest = highest < 0 ? vote.fence : Math.min(highest, vote.fence);',
    checker: 'fencing order',
    seeds: 500,
  },
  {
    name: 'script: a counter that was lost begins at 0',
    file: SCRIPT,
    text: 'counts[index] ?? startOfCount(host, claim, leastStart)',
    becomes: 'counts[index] ?? 0',
    checker: 'fencing order',
    seeds: 1000,
  },
  // What is left behind.
  {
    name: 'a failed attempt is not undone',
    file: 'lib/core/round.ts',
    text: "undo(this.quorum, this.plan, this.token, { tell: kind !== 'held' });",
    becomes: '',
    checker: 'nothing left',
    seeds: 500,
  },
  {
    name: 'a cancelled attempt is not undone',
    file: 'lib/core/round.ts',
    text: 'if (this.#request !== undefined) undo(quorum, plan, token, { tell: true });',
    becomes: '',
    checker: 'nothing left',
    seeds: 5000,
  },
  {
    name: 'a lost lock is not given back',
    file: 'lib/core/lock.ts',
    text: 'const givenBack = this.#releaseAndHandOver().then(nothing, (error: unknown) => error);',
    becomes: 'const givenBack = undefined;',
    checker: 'nothing left',
    seeds: 5000,
  },
  {
    name: 'a release is dropped while its server is down',
    file: 'lib/core/node-queue.ts',
    text: "if (state.status !== 'down' || request.kind === 'release') {",
    becomes: "if (state.status !== 'down') {",
    checker: 'nothing left',
    seeds: 3000,
  },
  {
    name: 'a release is not repeated when its connection broke',
    file: 'lib/core/node-queue.ts',
    text: 'if (!isReady) this.#queue.putBack(batch.filter(isRelease));',
    becomes: '',
    checker: 'nothing left',
    seeds: 5000,
  },
  {
    name: 'what was denied late is taken for everything there is',
    file: 'lib/core/possibly-held.ts',
    text: "trace.mayHold ||= reply?.outcome !== 'denied';",
    becomes: "trace.mayHold ||= reply?.outcome === 'granted';",
    checker: 'nothing left',
    seeds: 5000,
  },
  {
    name: 'script: a key has ten times the ttl that was asked for',
    file: SCRIPT,
    text: 'host.set(claim.key, value, claim.ms);',
    becomes: 'host.set(claim.key, value, 10 * claim.ms);',
    checker: 'no ghost',
    seeds: 1000,
  },
  // Bounds.
  {
    name: 'a round may take a node timeout whatever the time is',
    file: 'lib/core/round.ts',
    text: 'Math.max(0, Math.min(nodeTimeoutMs(rules, this.plan.ttlMs), this.limits.endAtMs - clock.nowMs()))',
    becomes: 'Math.max(0, Math.min(nodeTimeoutMs(rules, this.plan.ttlMs), this.limits.endAtMs))',
    checker: 'settles in time',
    seeds: 3000,
  },
  {
    name: 'a server may take twice its time',
    file: 'lib/core/quorum.ts',
    text: 'return Math.min(rules.nodeTimeoutMs, ttlMs / 4);',
    becomes: 'return 2 * Math.min(rules.nodeTimeoutMs, ttlMs / 4);',
    checker: 'settles in time',
    seeds: 500,
  },
  {
    name: 'a wait does not end when it is cancelled',
    file: 'lib/core/wait.ts',
    text: 'listening.forget = cancellation?.onCancel(fail);',
    becomes: '',
    checker: 'settles in time',
    seeds: 500,
  },
  {
    name: 'a waiter listens for a release beyond its time',
    file: 'lib/core/pause.ts',
    text: 'Math.max(1, Math.min(timeoutMs, this.#leftMs))',
    becomes: 'Math.max(1, timeoutMs)',
    checker: 'settles in time',
    seeds: 3000,
  },
  // Servers that have forgotten.
  {
    name: 'no server is ever kept from voting',
    file: 'lib/redis/restart-guard.ts',
    text: 'if (this.leftMs(request.claims) <= 0) return undefined;',
    becomes: 'if (this.leftMs(request.claims) >= 0) return undefined;',
    checker: 'mutual exclusion',
    seeds: 5000,
  },
  {
    name: 'a server votes again too soon',
    file: 'lib/redis/restart-guard.ts',
    text: 'this.#lostAtMs + this.#lengthMs(claims)',
    becomes: 'this.#lostAtMs + 0.2 * this.#lengthMs(claims)',
    checker: 'mutual exclusion',
    seeds: 10000,
  },
  {
    name: 'a marker that has changed is not refused',
    file: 'lib/redis/redis-lock-node.ts',
    text: 'expected: guard.marker,',
    becomes: 'expected: undefined,',
    checker: 'mutual exclusion',
    seeds: 10000,
  },
  {
    name: 'what was asked for while it connected leaves for a server that has forgotten',
    file: 'lib/core/node-queue.ts',
    text: `      if (objection !== undefined) deliver(pending, untrusted(objection));
      return objection === undefined;`,
    becomes: '      return objection === undefined || true;',
    checker: 'one run a tick',
    seeds: 20000,
  },
  // Ticks.
  {
    name: 'a timer that fires early belongs to the tick before',
    file: 'lib/cron/tick.ts',
    text: 'const EARLY_MS = 20;',
    becomes: 'const EARLY_MS = 0;',
    checker: 'no lost tick',
    seeds: 3000,
  },
  {
    name: 'a tick is not claimed',
    file: 'lib/core/round.ts',
    text: 'const claims = plan.tick === undefined ? plan.claims : [...plan.claims, tickFrom(atMs, plan.tick, limits)];',
    becomes: 'const claims = plan.claims;',
    checker: 'one run a tick',
    seeds: 500,
  },
  {
    name: 'a tick stays claimed for a moment only',
    file: 'lib/client/options/acquire-plan.ts',
    text: 'const ttlMs = claimedMs * (1 + driftFactor);',
    becomes: 'const ttlMs = 10 + 0 * claimedMs * (1 + driftFactor);',
    checker: 'one run a tick',
    seeds: 500,
  },
  {
    name: 'a tick that was begun and not won stays claimed',
    file: 'lib/core/round.ts',
    text: 'const keys = plan.tick === undefined ? plan.claims : [plan.tick, ...plan.claims];',
    becomes: 'const keys = plan.claims;',
    checker: 'no lost tick',
    seeds: 3000,
  },
  // Waiting.
  {
    name: 'who leaves the line tells nobody',
    file: 'lib/core/wait-queue.ts',
    text: 'else if (wasFirst) next?.begin(',
    becomes: 'else if (!wasFirst) next?.begin(',
    checker: 'no starvation',
    seeds: 5000,
  },
  {
    name: 'a release tells nobody',
    file: 'lib/core/release-and-hand-over.ts',
    text: 'channel: successor === undefined ? key : undefined',
    becomes: 'channel: undefined',
    checker: 'no starvation',
    seeds: 5000,
  },
  {
    name: 'a waiter that is denied leaves no mark',
    file: 'lib/redis/lock-script-codec.ts',
    text: "(waits ? 'w' : '')",
    becomes: "(waits ? '' : '')",
    checker: 'no starvation',
    seeds: 5000,
  },
  {
    name: 'who has waited is granted without the mark',
    file: 'lib/redis/lock-script-codec.ts',
    text: "(waited ? 'g' : '')",
    becomes: "(waited ? '' : '')",
    checker: 'no starvation',
    seeds: 10000,
  },
];
