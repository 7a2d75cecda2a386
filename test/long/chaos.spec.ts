import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../chaos/run.js';
import { summaryOf } from '../chaos/summary.js';
import { timelineOf } from '../chaos/timeline.js';
import { twoHolders } from '../chaos/two-holders.js';
import type { CheckerName } from '../history/events.js';
import type { Verdict } from '../history/verdict.js';

/** A replica is killed and one paused, a server loses its data, one stalls, scripts are flushed, a replica is alone. */
const SEED = 1384;

let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'redlock-chaos-'));
});
afterAll(async () => {
  await rm(out, { recursive: true, force: true });
});

function outcomeOf(verdicts: readonly Verdict[], checker: CheckerName): Verdict['outcome'] | undefined {
  return verdicts.find((verdict) => verdict.checker === checker)?.outcome;
}

describe('real servers and replicas under random faults', () => {
  it('a short run: servers and replicas die, stall, forget and go wrong, and no promise is broken (P1 to P8, P11, P12, P14)', async () => {
    const options = { minutes: 0.25, servers: 5, replicas: 3, seed: SEED, restartGuard: 'witnessed', out } as const;
    const outcome = await run(options);
    const summary = summaryOf(options, outcome, 'memory');
    expect({ summary, broken: outcome.verdicts.filter((verdict) => verdict.outcome === 'violated') }).toEqual({
      summary,
      broken: [],
    });
    expect({ summary, troubles: outcome.troubles }).toEqual({ summary, troubles: [] });
    expect({ summary, faults: outcome.faults.size >= 4 }).toEqual({ summary, faults: true });
    expect(timelineOf(outcome)).toMatch(/^<svg [\s\S]*replica-1\.1, attempt[\s\S]*<\/svg>\n$/);
    // What a run of any length has plenty of is judged, too.
    for (const checker of ['mutual exclusion', 'fencing order', 'settles in time', 'signal in time'] as const) {
      expect({ summary, checker, outcome: outcomeOf(outcome.verdicts, checker) }).toEqual({
        summary,
        checker,
        outcome: 'holds',
      });
    }
  }, 90_000);

  it.each([
    ['off', 'violated'],
    ['witnessed', 'kept'],
  ] as const)(
    'P12: a loss of data under a held lock, with restartGuard %s: by the checker, mutual exclusion is %s',
    async (restartGuard, exclusion) => {
      const { verdicts, troubles } = await twoHolders({ restartGuard, out: join(out, 'again') });
      expect(troubles).toEqual([]);
      expect(outcomeOf(verdicts, 'mutual exclusion')).toBe(exclusion === 'kept' ? 'holds' : 'violated');
    },
    40_000,
  );
});
