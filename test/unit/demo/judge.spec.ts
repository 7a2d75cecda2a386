import { describe, expect, it } from '@jest/globals';
import { isFlawless, judge, summarize, type Report } from '../../../demo/judge.js';
import { TickLog } from '../../../demo/tick-log.js';

const TICK = 1_000_000;

/** `said('a began', 'b skipped')`: what replicas report of the tick. */
function said(...sentences: string[]): Report[] {
  return sentences.map((sentence) => {
    const [replica = '', what = '', error = ''] = sentence.split(' ');
    return { replica, tickMs: TICK, what, ...(what === 'failed' && { error }) } as Report;
  });
}

describe('the judge of one tick', () => {
  it('names who ran it and who skipped it', () => {
    const reports = said('b skipped', 'a began', 'c skipped', 'a ended');
    expect(judge(TICK, reports)).toEqual({ tickMs: TICK, ranBy: ['a'], skippedBy: ['b', 'c'], failed: [] });
  });

  it('counts a run that began and never ended: its replica was killed', () => {
    expect(judge(TICK, said('a began', 'b skipped')).ranBy).toEqual(['a']);
  });

  it('counts each run, also two of one replica', () => {
    expect(judge(TICK, said('b began', 'a began', 'a ended', 'b ended')).ranBy).toEqual(['a', 'b']);
    expect(judge(TICK, said('a began', 'a ended', 'a began')).ranBy).toEqual(['a', 'a']);
  });

  it('does not take a skip, a failure or silence for a run', () => {
    expect(judge(TICK, said('a skipped', 'b failed unreachable'))).toEqual({
      tickMs: TICK,
      ranBy: [],
      skippedBy: ['a'],
      failed: [{ replica: 'b', error: 'unreachable' }],
    });
    expect(judge(TICK, []).ranBy).toEqual([]);
  });

  it('counts a run that began and then failed as both', () => {
    const { ranBy, failed } = judge(TICK, said('a began', 'a failed lost'));
    expect([ranBy, failed]).toEqual([['a'], [{ replica: 'a', error: 'lost' }]]);
  });

  it('names a replica once that came to the tick again because its clock was set back', () => {
    const reports = said('a began', 'a ended', 'b skipped', 'a skipped', 'b skipped');
    expect(judge(TICK, reports)).toMatchObject({ ranBy: ['a'], skippedBy: ['b'] });
  });

  it('lists replica-10 after replica-9', () => {
    const reports = said('replica-10 skipped', 'replica-9 skipped', 'replica-3 failed', 'replica-2 failed');
    const { skippedBy, failed } = judge(TICK, reports);
    expect(skippedBy).toEqual(['replica-9', 'replica-10']);
    expect(failed.map(({ replica }) => replica)).toEqual(['replica-2', 'replica-3']);
  });
});

describe('the summary', () => {
  const once = judge(TICK, said('a began', 'b skipped'));
  const never = judge(TICK, said('a skipped', 'b failed broken'));
  const twice = judge(TICK, said('a began', 'b began'));

  it('adds up ticks, runs, skips and failures, and the runs of each replica', () => {
    expect(summarize([once, never, twice])).toEqual({
      ticks: 3,
      runs: 3,
      ticksWithoutRun: 1,
      ticksWithMoreRuns: 1,
      skips: 2,
      failures: 1,
      runsBy: { a: 2, b: 1 },
    });
  });

  it('goes on from an earlier one without changing it', () => {
    const before = summarize([once]);
    const copy = structuredClone(before);
    expect(summarize([never, twice], before)).toEqual(summarize([once, never, twice]));
    expect(before).toEqual(copy);
  });

  it('is flawless only when every tick ran exactly once (P8)', () => {
    expect([[once], [once, never], [once, twice]].map((verdicts) => isFlawless(summarize(verdicts)))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('the tickLog', () => {
  const report = (tickMs: number, sentence: string): Report => ({ ...said(sentence)[0], tickMs }) as Report;

  it('is done with a replica when it ended, skipped or failed, not yet when it only began', () => {
    const tickLog = new TickLog();
    expect(tickLog.isDone(TICK, 'a')).toBe(false);
    for (const each of said('a began', 'b skipped', 'c failed broken')) tickLog.record(each);
    expect(['a', 'b', 'c', 'd'].map((replica) => tickLog.isDone(TICK, replica))).toEqual([false, true, true, false]);
    tickLog.record(report(TICK, 'a ended'));
    expect(tickLog.isDone(TICK, 'a')).toBe(true);
  });

  it('sums up the ticks that were closed, and no other', () => {
    const tickLog = new TickLog();
    for (const tickMs of [TICK, TICK + 1_000, TICK + 2_000]) tickLog.record(report(tickMs, 'a began'));
    tickLog.close(TICK);
    tickLog.close(TICK + 1_000);
    expect(tickLog.summary()).toMatchObject({ ticks: 2, runs: 2 });
  });

  it('counts a second run that is reported after the tick was closed', () => {
    const tickLog = new TickLog();
    tickLog.record(report(TICK, 'a began'));
    tickLog.close(TICK);
    tickLog.record(report(TICK, 'b began'));
    expect(tickLog.isClosed(TICK)).toBe(true);
    expect(tickLog.summary()).toMatchObject({ runs: 2, ticksWithMoreRuns: 1 });
  });

  it('sums up thousands of ticks', () => {
    const tickLog = new TickLog();
    for (let tick = 0; tick < 2_000; tick++) {
      tickLog.record(report(tick * 1_000, 'a began'));
      tickLog.close(tick * 1_000);
    }
    expect(tickLog.summary()).toMatchObject({ ticks: 2_000, runs: 2_000, ticksWithoutRun: 0, runsBy: { a: 2_000 } });
  });
});
