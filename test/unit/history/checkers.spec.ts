import { describe, expect, it } from '@jest/globals';
import { check } from '../../history/check.js';
import type { History, HistoryEvent } from '../../history/events.js';
import { proofOf, Script, verdictOf } from './by-hand.js';

describe('the checker of what processes emit', () => {
  const counts = { acquired: 1, contended: 0, unreachable: 0, lost: 0 };
  const script = (emitted: object): Script =>
    new Script()
      .lock(10, 1, 'a', 1, 100)
      .add({ kind: 'emitted', atMs: 500, client: 'a', counts: { ...counts, ...emitted } })
      .client(500, 'stopped', 'a');

  it('accepts as many events as its calls have seen', () => {
    expect(verdictOf('events agree', script({}).end(900))).toMatchObject({ outcome: 'holds', judged: 1 });
  });

  it('accepts as many runs and skips', () => {
    const jobs = { acquired: 3, contended: 2, skipped: 2, jobStarted: 2, jobSucceeded: 1, jobFailed: 1 };
    const events = (counts_: object): string =>
      verdictOf(
        'events agree',
        new Script()
          .run(10, 1, 'a', { heldMs: 20 })
          .run(100, 2, 'a', { heldMs: 20, failed: true })
          .lock(200, 3, 'a', 3, 20)
          .norun(300, 4, 'a', 'already-ran')
          .norun(400, 5, 'a', 'paused')
          .add({ kind: 'emitted', atMs: 500, client: 'a', counts: { ...counts, ...jobs, ...counts_ } })
          .client(500, 'stopped', 'a')
          .end(900),
      ).outcome;
    expect(events({})).toBe('holds');
    for (const wrong of [{ skipped: 1 }, { jobStarted: 3 }, { jobSucceeded: 2 }, { jobFailed: 0 }]) {
      expect([wrong, events(wrong)]).toEqual([wrong, 'violated']);
    }
  });

  it('accepts the skip of a tick that was to be made up for and met no majority', () => {
    const skipped = { acquired: 0, contended: 0, unreachable: 1, lost: 0, skipped: 1 };
    const outcome = (trigger: 'catch-up' | 'manual'): string =>
      verdictOf(
        'events agree',
        new Script()
          .asked(10, 1, 'a', { job: 'k', trigger, tick: { atMs: 60_000, periodMs: 1000 } })
          .refused(200, 1, 'QUORUM_UNREACHABLE')
          .add({ kind: 'emitted', atMs: 500, client: 'a', counts: skipped })
          .client(500, 'stopped', 'a')
          .end(900),
      ).outcome;
    expect([outcome('catch-up'), outcome('manual')]).toEqual(['holds', 'violated']);
  });

  it.each([{ acquired: 0 }, { acquired: 2 }, { contended: 1 }, { unreachable: 1 }, { lost: 1 }])(
    'finds %j',
    (emitted) => {
      expect(verdictOf('events agree', script(emitted).end(900))).toMatchObject({ outcome: 'violated' });
    },
  );

  it('does not judge a process that was killed', () => {
    const killed = new Script().lock(10, 1, 'a', 1, 100).client(500, 'killed', 'a');
    expect(verdictOf('events agree', killed.end(900))).toMatchObject({ outcome: 'unknown', why: 'nothing' });
  });
});

describe('P1: the checker of mutual exclusion', () => {
  it('accepts locks that follow one another, also at the same instant', () => {
    const history = new Script().lock(10, 1, 'a', 1, 100).lock(110, 2, 'b', 2, 100).end(900);
    expect(verdictOf('mutual exclusion', history)).toMatchObject({ outcome: 'holds', judged: 2 });
  });

  it('finds a lock that is granted while another one is valid', () => {
    const history = new Script().lock(10, 1, 'a', 1, 100).lock(60, 2, 'b', 2, 100).end(900);
    expect(proofOf('mutual exclusion', history)).toEqual(['asked granted releasing asked granted releasing']);
  });

  it('finds it where the lock before the last is the one that is still valid', () => {
    const script = new Script().lock(10, 1, 'a', 1, 500, { keys: ['k', 'l'] }).lock(20, 2, 'b', 2, 10, { keys: ['m'] });
    expect(proofOf('mutual exclusion', script.lock(100, 3, 'c', 3, 10, { keys: ['m', 'l'] }).end(900))).toHaveLength(1);
  });

  it('goes by what the client believes: the end of the validity, as it was extended last', () => {
    const script = (untilMs: number): Script =>
      new Script().asked(10, 1, 'a').granted(20, 1, 1, 900).extended(300, 1, untilMs).aborted(untilMs, 1);
    expect(proofOf('mutual exclusion', script(1200).lock(1000, 2, 'b', 2, 10).end(2000))).toEqual([
      'asked granted extended aborted asked granted releasing',
    ]);
    expect(proofOf('mutual exclusion', script(800).lock(800, 2, 'b', 2, 10).end(2000))).toBe('holds');
  });

  it('counts what a paused process believes, and nothing of a dead one', () => {
    const script = (): Script => new Script().asked(10, 1, 'a').granted(20, 1, 1);
    const paused = script().client(30, 'paused', 'a').client(1500, 'resumed', 'a').aborted(1500, 1);
    expect(proofOf('mutual exclusion', paused.lock(100, 2, 'b', 2, 10).end(2000))).toHaveLength(1);
    const killed = script().client(30, 'killed', 'a');
    expect(proofOf('mutual exclusion', killed.lock(100, 2, 'b', 2, 10).end(2000))).toBe('holds');
  });

  it('does not blame the holder of a lock that was removed by force', () => {
    const script = (askedAtMs: number): Script => new Script().removal(50, 60, 'c').lock(askedAtMs, 1, 'a', 1, 500);
    expect(proofOf('mutual exclusion', script(10).lock(55, 2, 'b', 2, 100).end(900))).toBe('holds');
    expect(proofOf('mutual exclusion', script(60).lock(200, 2, 'b', 2, 100).end(900))).toBe('holds');
  });

  it('blames whoever takes a lock that was asked for after the removal, which cannot have seen it', () => {
    const script = new Script().removal(50, 60, 'c').lock(61, 1, 'a', 1, 500);
    expect(proofOf('mutual exclusion', script.lock(200, 2, 'b', 2, 100).end(900))).toHaveLength(1);
    const elsewhere = new Script().removal(50, 60, 'c', 'l').lock(10, 1, 'a', 1, 500);
    expect(proofOf('mutual exclusion', elsewhere.lock(200, 2, 'b', 2, 100).end(900))).toHaveLength(1);
  });

  it('does not know what a removal did that never settled, but for one whose process was killed', () => {
    const open = new Script().add({ kind: 'forcing', atMs: 50, client: 'c', call: 99, key: 'k' });
    expect(verdictOf('mutual exclusion', open.lock(70, 1, 'a', 1, 50).end(900))).toMatchObject({
      outcome: 'unknown',
      why: 'incomplete',
    });
    const killed = new Script().add({ kind: 'forcing', atMs: 50, client: 'c', call: 99, key: 'k' });
    const both = killed.client(55, 'killed', 'c').lock(70, 1, 'a', 1, 500).lock(200, 2, 'b', 2, 100);
    expect(proofOf('mutual exclusion', both.end(900))).toHaveLength(1);
  });
});

describe('P2: the checker of fencing order', () => {
  it('accepts tokens that grow, also with gaps', () => {
    const history = new Script().lock(10, 1, 'a', 7, 10).lock(100, 2, 'b', 8, 10).lock(200, 3, 'c', 99, 10).end(900);
    expect(verdictOf('fencing order', history)).toMatchObject({ outcome: 'holds', judged: 3 });
  });

  it('finds a smaller token, also behind one that is larger than both', () => {
    const script = new Script().lock(10, 1, 'a', 7, 10).lock(100, 2, 'b', 9, 10);
    expect(proofOf('fencing order', script.lock(200, 3, 'c', 8, 10).end(900))).toEqual(['granted asked granted']);
  });

  it('finds a token that was given twice, whatever the order', () => {
    const history = new Script().asked(10, 1, 'a').asked(10, 2, 'b').granted(20, 1, 7).granted(20, 2, 7);
    const end = history.released(30, 1).released(30, 2).end(900);
    expect(proofOf('fencing order', end)).toEqual(['granted granted']);
  });

  it('demands no order of a lock that was asked for before the other was known', () => {
    const script = new Script().asked(10, 1, 'a', { waitMs: 500 }).lock(20, 2, 'b', 8, 10).granted(100, 1, 7);
    expect(proofOf('fencing order', script.released(110, 1).end(900))).toBe('holds');
  });

  it('compares each key with itself, and knows locks without a token', () => {
    const script = new Script().lock(10, 1, 'a', 7, 10).lock(100, 2, 'b', 1, 10, { keys: ['l'] });
    expect(proofOf('fencing order', script.end(900))).toBe('holds');
    const without = new Script().asked(10, 1, 'a').granted(20, 1, null).released(30, 1);
    expect(verdictOf('fencing order', without.end(900))).toMatchObject({ outcome: 'unknown', why: 'nothing' });
  });
});

describe('P8: the checker of one run a tick', () => {
  it('accepts a tick that one replica runs', () => {
    const history = new Script().tick(100, 1, ['a', 'b', 'c']).tick(1100, 11, ['a', 'b', 'c']).end(2000);
    expect(verdictOf('one run a tick', history)).toMatchObject({ outcome: 'holds', judged: 2 });
  });

  it('finds a tick that two replicas run, also one after the other', () => {
    const script = new Script().tick(100, 1, ['a']);
    const tick = { atMs: 60_100, periodMs: 1000 };
    const twice = script.lock(400, 2, 'b', 2, 30, { tick }).add({ kind: 'began', atMs: 415, attempt: 2 });
    expect(proofOf('one run a tick', twice.end(2000))).toEqual(['asked granted began asked granted began']);
  });

  it('does not know of a lock on a tick whether its work began, unless it is told', () => {
    const tick = { atMs: 60_100, periodMs: 1000 };
    const history = new Script().lock(400, 2, 'b', 2, 30, { tick }).end(2000);
    expect(verdictOf('one run a tick', history)).toMatchObject({ outcome: 'unknown', why: 'incomplete' });
  });
});

describe('P8: the checker of lost ticks', () => {
  const lost = (): Script => new Script().tick(500, 1, ['a', 'b'], { runs: false });

  it('accepts a tick that ran', () => {
    expect(verdictOf('no lost tick', new Script().tick(500, 1, ['a', 'b']).end(2000))).toMatchObject({
      outcome: 'holds',
      judged: 1,
    });
  });

  it('finds a tick that ran nowhere', () => {
    expect(proofOf('no lost tick', lost().end(2000))).toEqual(['due asked refused asked refused']);
    const minorityAway = lost().server(100, 1, 'away').server(1500, 1, 'up');
    expect(proofOf('no lost tick', minorityAway.end(2000))).toHaveLength(1);
  });

  it('does not judge while a majority is away, or has only just come back', () => {
    const away = lost().server(100, 1, 'away').server(100, 2, 'away').server(460, 1, 'up').server(460, 2, 'up');
    expect(verdictOf('no lost tick', away.end(2000))).toMatchObject({ outcome: 'unknown', why: 'nothing' });
    const back = lost().server(100, 1, 'away').server(100, 2, 'away').server(440, 1, 'up').server(440, 2, 'up');
    expect(proofOf('no lost tick', back.end(2000))).toHaveLength(1);
  });

  it('accepts that a running job covers it, and the rest of a dead holder, but no lock of before', () => {
    const running = lost().lock(300, 9, 'c', 1, 400);
    expect(proofOf('no lost tick', running.end(2000))).toBe('holds');
    const dead = lost().asked(10, 9, 'c').granted(20, 9, 1).client(30, 'killed', 'c');
    expect(proofOf('no lost tick', dead.end(2000))).toBe('holds');
    expect(proofOf('no lost tick', lost().lock(300, 9, 'c', 1, 20).end(2000))).toHaveLength(1);
  });

  it('does not judge a tick whose replica stood still', () => {
    const paused = lost().client(505, 'paused', 'a').client(506, 'resumed', 'a');
    expect(verdictOf('no lost tick', paused.end(2000))).toMatchObject({ outcome: 'unknown', why: 'nothing' });
  });

  it('does not wait for the late timer of a machine that was suspended before, and ended meanwhile', () => {
    const pause = (suspended: boolean): HistoryEvent[] => [
      { kind: 'paused', atMs: 100, client: 'b', ...(suspended && { suspended }) },
      { kind: 'resumed', atMs: 300, client: 'b' },
    ];
    const due: HistoryEvent = {
      ...{ kind: 'due', atMs: 500, keys: ['k'], tickAtMs: 60_500, untilMs: 600 },
      replicas: ['a', 'b'],
    };
    const silent = (suspended: boolean): Script =>
      new Script()
        .tick(500, 1, ['a'])
        .add(due, ...pause(suspended))
        .client(750, 'killed', 'b');
    expect(verdictOf('no lost tick', silent(true).end(2000))).not.toMatchObject({ outcome: 'unknown' });
    expect(verdictOf('no lost tick', silent(false).end(2000))).toMatchObject({ why: 'incomplete' });
    // Or one that stands still then.
    const still = (fromMs: number): Script =>
      new Script()
        .tick(500, 1, ['a'])
        .add(due, ...pause(true))
        .client(fromMs, 'paused', 'b')
        .client(1500, 'resumed', 'b');
    expect(verdictOf('no lost tick', still(750).end(2000))).not.toMatchObject({ outcome: 'unknown' });
    expect(verdictOf('no lost tick', still(810).end(2000))).toMatchObject({ why: 'incomplete' });
  });

  it('does not know of a replica that has not fired, nor of a tick that was never due', () => {
    const silent = new Script().tick(500, 1, ['a']).add({
      ...{ kind: 'due', atMs: 500, keys: ['k'], tickAtMs: 60_500, untilMs: 600 },
      replicas: ['a', 'b'],
    });
    expect(verdictOf('no lost tick', silent.end(2000))).toMatchObject({ outcome: 'unknown', why: 'incomplete' });
    const { about, events } = new Script().tick(500, 1, ['a']).end(2000);
    const never = { about, events: events.filter(({ kind }) => kind !== 'due') };
    expect(verdictOf('no lost tick', never)).toMatchObject({ outcome: 'unknown', why: 'incomplete' });
  });
});

describe('P5: the checker of bounds', () => {
  it('gives acquire its wait and two node timeouts, to the millisecond', () => {
    const asked = (tookMs: number): History =>
      new Script()
        .asked(10, 1, 'a', { waitMs: 300 })
        .refused(10 + tookMs, 1)
        .end(2000);
    expect(proofOf('settles in time', asked(500))).toBe('holds');
    expect(proofOf('settles in time', asked(501))).toEqual(['asked refused']);
  });

  it('takes a quarter of the ttl for the node timeout where that is less', () => {
    const asked = new Script().asked(10, 1, 'a', { ttlMs: 100 }).refused(61, 1);
    expect(proofOf('settles in time', asked.end(2000))).toEqual(['asked refused']);
  });

  it('gives a release two where the machine was suspended under the lock: its process asks the servers first', () => {
    const released = (suspended: boolean): History =>
      new Script()
        .asked(10, 1, 'a')
        .granted(20, 1, 1)
        .add({ kind: 'paused', atMs: 30, client: 'a', ...(suspended && { suspended }) })
        .client(90, 'resumed', 'a')
        .released(100, 1, 190)
        .end(2000);
    expect(proofOf('settles in time', released(true))).toBe('holds');
    expect(proofOf('settles in time', released(false))).toHaveLength(1);
  });

  it('finds a call that has never settled', () => {
    const history = new Script().asked(10, 1, 'a').end(2000);
    expect(proofOf('settles in time', history)).toEqual(['asked']);
    expect(verdictOf('mutual exclusion', history)).toMatchObject({ outcome: 'unknown', why: 'incomplete' });
  });

  it('gives extend and release one node timeout', () => {
    const script = (): Script => new Script().asked(10, 1, 'a').granted(20, 1, 1);
    expect(proofOf('settles in time', script().released(30, 1, 101).end(2000))).toEqual(['releasing released']);
    const extended = script().extension(30, 1, 1000, 101).released(200, 1);
    expect(proofOf('settles in time', extended.end(2000))).toEqual(['extending extendSettled']);
  });

  it('wants a cancelled wait to end at once', () => {
    const cancelled = (tookMs: number): History =>
      new Script()
        .asked(10, 1, 'a', { waitMs: null })
        .add({ kind: 'cancelled', atMs: 100, attempt: 1 })
        .refused(100 + tookMs, 1, 'CANCELLED')
        .end(2000);
    expect(proofOf('settles in time', cancelled(0))).toBe('holds');
    expect(proofOf('settles in time', cancelled(1))).toEqual(['asked refused']);
  });

  it('counts from the end of a pause', () => {
    const paused = (tookMs: number): History =>
      new Script()
        .asked(10, 1, 'a')
        .client(50, 'paused', 'a')
        .client(900, 'resumed', 'a')
        .refused(900 + tookMs, 1)
        .end(2000);
    expect(proofOf('settles in time', paused(200))).toBe('holds');
    expect(proofOf('settles in time', paused(201))).toHaveLength(1);
  });
});

describe('P11: the checker of ghosts', () => {
  const killed = (): Script => new Script().asked(10, 1, 'a').granted(20, 1, 1).client(100, 'killed', 'a');

  it('gives what a dead process had its ttl', () => {
    expect(proofOf('no ghost', killed().leftover(1100, 0, 'token-1').end(2000))).toBe('holds');
    expect(proofOf('no ghost', killed().leftover(1151, 0, 'token-1').end(2000))).toEqual(['leftover asked']);
  });

  it('counts from when a server was up again', () => {
    const away = (atMs: number): History =>
      killed().server(50, 0, 'away').server(900, 0, 'up').leftover(atMs, 0, 'token-1').end(3000);
    expect(proofOf('no ghost', away(1950))).toBe('holds');
    expect(proofOf('no ghost', away(1951))).toHaveLength(1);
  });

  it('finds what stays for longer than anybody asked, or for ever', () => {
    const held = (ttlLeftMs: number | null): History =>
      new Script().lock(10, 1, 'a', 1, 500).leftover(100, 0, 'token-1', ttlLeftMs).end(2000);
    expect(proofOf('no ghost', held(1000))).toBe('holds');
    expect(proofOf('no ghost', held(1001))).toHaveLength(1);
    expect(proofOf('no ghost', held(null))).toHaveLength(1);
  });

  it('finds a token that nobody was told of, and a key that nobody asked for', () => {
    const refused = new Script().asked(10, 1, 'a').refused(100, 1).leftover(1200, 0, 'another');
    expect(proofOf('no ghost', refused.end(2000))).toHaveLength(1);
    expect(proofOf('no ghost', new Script().leftover(10, 0, 'token-1').end(2000))).toEqual(['leftover']);
  });

  it('does not know what is on a server that nobody has looked at while it was up', () => {
    const { about, events } = killed().end(2000);
    const unseen = events.filter((event) => event.kind !== 'scanned' || event.server !== 1);
    expect(verdictOf('no ghost', { about, events: unseen })).toMatchObject({ outcome: 'unknown', why: 'incomplete' });
    expect(verdictOf('no ghost', killed().server(1900, 1, 'away').end(2000))).toMatchObject({ outcome: 'unknown' });
  });
});

describe('P11: the checker of what is left', () => {
  const released = (): Script => new Script().lock(10, 1, 'a', 1, 80); // released at 110, cleared by 160

  it('wants a lock that was given back to be gone everywhere', () => {
    expect(proofOf('nothing left', released().leftover(150, 0, 'token-1').end(900))).toBe('holds');
    expect(proofOf('nothing left', released().leftover(151, 0, 'token-1').end(900))).toEqual([
      'leftover asked released',
    ]);
  });

  it('wants it of a lock that was lost, and of one that was never got', () => {
    const lost = new Script().asked(10, 1, 'a').granted(20, 1, 1).aborted(300, 1, 'taken').leftover(400, 2, 'token-1');
    expect(proofOf('nothing left', lost.end(900))).toHaveLength(1);
    const refused = new Script().asked(10, 1, 'a').refused(100, 1).leftover(400, 0, 'another');
    expect(proofOf('nothing left', refused.end(900))).toHaveLength(1);
  });

  it('waits for a server that was away, for a process that stood still, and for minHold', () => {
    const away = released().server(50, 0, 'away').server(300, 0, 'up');
    expect(proofOf('nothing left', away.leftover(349, 0, 'token-1').end(900))).toBe('holds');
    const paused = released().client(115, 'paused', 'a').client(300, 'resumed', 'a');
    expect(proofOf('nothing left', paused.leftover(349, 0, 'token-1').end(900))).toBe('holds');
    const kept = new Script().lock(10, 1, 'a', 1, 80, { minHoldMs: 400 });
    expect(proofOf('nothing left', kept.leftover(470, 0, 'token-1').end(900))).toBe('holds');
    expect(proofOf('nothing left', kept.leftover(471, 0, 'token-1').end(900))).toHaveLength(1);
  });

  it('waits for a minHold for longer where the machine was suspended, which its clock does not count', () => {
    const left = (suspended: boolean): History =>
      new Script()
        .asked(10, 1, 'a', { minHoldMs: 300 })
        .granted(20, 1, 1)
        .add({ kind: 'paused', atMs: 30, client: 'a', ...(suspended && { suspended }) })
        .client(250, 'resumed', 'a')
        .released(260, 1)
        .leftover(500, 1, 'token-1')
        .end(2000);
    expect(proofOf('nothing left', left(true))).toBe('holds');
    expect(proofOf('nothing left', left(false))).toHaveLength(1);
  });

  it('waits no longer for a minHold where the machine was suspended after the release', () => {
    const left = (atMs: number): History =>
      new Script()
        .asked(10, 1, 'a', { minHoldMs: 300 })
        .granted(20, 1, 1)
        .released(100, 1)
        .add({ kind: 'paused', atMs: 200, client: 'a', suspended: true })
        .client(400, 'resumed', 'a')
        .leftover(atMs, 0, 'token-1')
        .end(900);
    expect(proofOf('nothing left', left(370))).toBe('holds');
    expect(proofOf('nothing left', left(371))).toHaveLength(1);
  });

  it('asks nothing of a dead process, nor of one that still holds it', () => {
    const killed = new Script().asked(10, 1, 'a').granted(20, 1, 1).client(100, 'killed', 'a');
    expect(proofOf('nothing left', killed.leftover(500, 0, 'token-1').end(900))).toBe('holds');
    const held = new Script().lock(10, 1, 'a', 1, 500).leftover(400, 0, 'token-1');
    expect(proofOf('nothing left', held.end(900))).toBe('holds');
  });
});

describe('P6: the checker of signals', () => {
  const held = (): Script => new Script().asked(10, 1, 'a').granted(20, 1, 1, 900);

  it('wants the signal to abort before the validity ends', () => {
    expect(proofOf('signal in time', held().aborted(900, 1).end(2000))).toBe('holds');
    expect(proofOf('signal in time', held().aborted(901, 1).end(2000))).toEqual(['asked granted aborted']);
    expect(proofOf('signal in time', held().end(2000))).toEqual(['asked granted']);
    expect(proofOf('signal in time', held().extended(400, 1, 1300).aborted(1301, 1).end(2000))).toHaveLength(1);
  });

  it('wants it as soon as a process goes on that stood still', () => {
    const paused = (atMs: number): History =>
      held().client(500, 'paused', 'a').client(1500, 'resumed', 'a').aborted(atMs, 1).end(2000);
    expect(proofOf('signal in time', paused(1500))).toBe('holds');
    expect(proofOf('signal in time', paused(1501))).toHaveLength(1);
  });

  it('wants no signal of a lock that was given back, or whose process is dead', () => {
    expect(proofOf('signal in time', held().released(100, 1).end(2000))).toBe('holds');
    expect(proofOf('signal in time', held().client(100, 'killed', 'a').end(2000))).toBe('holds');
  });

  it('takes no suspension for an extension of a lock that was removed everywhere', () => {
    const later = (suspended: boolean): History =>
      new Script()
        .asked(10, 1, 'a')
        .granted(20, 1, 1, 920)
        .removal(100, 110, 'b')
        .add({ kind: 'paused', atMs: 300, client: 'a', ...(suspended && { suspended }) })
        .client(320, 'resumed', 'a')
        .extended(500, 1, 940)
        .aborted(940, 1)
        .end(2000);
    expect(proofOf('signal in time', later(true))).toBe('holds');
    expect(proofOf('signal in time', later(false))).toHaveLength(1);
  });

  it('counts an extension that was confirmed while a machine that was suspended believed in nothing', () => {
    const late = (ttlMs: number): History =>
      new Script()
        .asked(10, 1, 'a', { ttlMs: 200 })
        .granted(20, 1, 1, 200)
        .extension(150, 1, ttlMs, 300)
        .add({ kind: 'paused', atMs: 160, client: 'a', suspended: true })
        .client(400, 'resumed', 'a')
        .aborted(880, 1, 'taken')
        .end(2000);
    expect(proofOf('signal in time', late(500))).toBe('holds');
    expect(proofOf('signal in time', late(20))).toHaveLength(1);
  });

  it('counts an extension of its own that had left before the machine was suspended', () => {
    const late = (atMs: number, suspended = true): History =>
      new Script()
        .asked(10, 1, 'a', { ttlMs: 200 })
        .granted(20, 1, 1, 200)
        .add({ kind: 'paused', atMs: 150, client: 'a', ...(suspended && { suspended }) })
        .client(400, 'resumed', 'a')
        .aborted(atMs, 1)
        .end(2000);
    expect(proofOf('signal in time', late(600))).toBe('holds');
    expect(proofOf('signal in time', late(601))).toHaveLength(1);
    expect(proofOf('signal in time', late(600, false))).toHaveLength(1);
  });

  it('finds a lock that goes on although an operator has removed it everywhere', () => {
    const forced = (atMs: number, everywhere = true): Script => held().removal(atMs, 300, 'c', 'k', everywhere);
    const goesOn = (script: Script, atMs: number): History => script.extended(atMs, 1, 1300).aborted(1300, 1).end(2000);
    expect(proofOf('signal in time', goesOn(forced(290), 401))).toEqual(['asked granted extended extended']);
    expect(proofOf('signal in time', goesOn(forced(290), 400))).toBe('holds');
    expect(proofOf('signal in time', goesOn(forced(290, false), 500))).toBe('holds');
    expect(proofOf('signal in time', goesOn(forced(15), 500))).toBe('holds');
    const shortened = forced(290).extended(500, 1, 700).aborted(700, 1);
    expect(proofOf('signal in time', shortened.end(2000))).toBe('holds');
  });

  it('accepts a lock that its own process has removed while it was granted, and that is handed out aborted', () => {
    const taken = (client: string, untilMs: number, abortedAtMs = 20): History =>
      new Script()
        .asked(10, 1, 'a')
        .removal(11, untilMs, client, 'k', false)
        .granted(20, 1, 1, 0)
        .aborted(abortedAtMs, 1, 'taken')
        .end(2000);
    expect(proofOf('signal in time', taken('a', 20))).toBe('holds');
    expect(proofOf('signal in time', taken('b', 20))).toHaveLength(2);
    expect(proofOf('signal in time', taken('a', 19))).toHaveLength(2);
    expect(proofOf('signal in time', taken('a', 20, 21))).toHaveLength(2);
  });

  it('finds a lock that was handed out too late, and work that began too late', () => {
    const late = new Script().asked(10, 1, 'a').granted(20, 1, 1, 19).aborted(20, 1);
    expect(proofOf('signal in time', late.end(2000))).toContain('asked granted');
    const work = held().aborted(100, 1, 'taken').add({ kind: 'began', atMs: 101, attempt: 1 });
    expect(proofOf('signal in time', work.end(2000))).toEqual(['asked granted aborted began']);
  });
});

describe('P7, P14: the checker of starvation', () => {
  it('accepts that somebody is refused what somebody else has', () => {
    const history = new Script().lock(10, 1, 'a', 1, 300).asked(100, 2, 'b').refused(110, 2).end(900);
    expect(verdictOf('no starvation', history)).toMatchObject({ outcome: 'holds', judged: 2 });
  });

  it('finds contenders that all lose', () => {
    const history = new Script().asked(100, 1, 'a').asked(101, 2, 'b').refused(120, 1).refused(121, 2).end(900);
    expect(proofOf('no starvation', history)).toEqual(['asked refused asked refused', 'asked refused asked refused']);
  });

  it('accepts that who asks for few rounds leaves a contest before it is settled', () => {
    const contest = (more: { maxRetries?: number }): History =>
      new Script()
        .asked(10, 1, 'a', { waitMs: 500, ...more })
        .asked(10, 2, 'b', more)
        .refused(30, 1)
        .refused(30, 2)
        .end(2000);
    expect(proofOf('no starvation', contest({ maxRetries: 0 }))).toBe('holds');
    expect(proofOf('no starvation', contest({}))).toHaveLength(2);
  });

  it('accepts that a short try leaves a contest undecided that hangs on a server that is away', () => {
    const contest = (waitMs: number, reason: string, isAway = true): History => {
      const script = new Script();
      if (isAway) script.server(10, 0, 'away');
      for (const [attempt, client] of ['a', 'b'].entries()) script.asked(100 + attempt, attempt, client, { waitMs });
      return script.refused(230, 0, 'LOCK_CONTENDED', reason).refused(231, 1, 'LOCK_CONTENDED', reason).end(2000);
    };
    expect(proofOf('no starvation', contest(100, 'undecided'))).toBe('holds');
    expect(proofOf('no starvation', contest(101, 'undecided'))).toHaveLength(2);
    expect(proofOf('no starvation', contest(100, 'locked'))).toHaveLength(2);
    expect(proofOf('no starvation', contest(100, 'undecided', false))).toHaveLength(2);
  });

  it('accepts that a rival keeps a key until it is told that a third one has its other key', () => {
    const contest = (keys: string[]): History =>
      new Script()
        .lock(10, 1, 'c', 1, 300, { keys: ['other'] })
        .asked(100, 2, 'a')
        .asked(101, 3, 'b', { keys })
        .refused(120, 2)
        .refused(121, 3)
        .end(2000);
    expect(proofOf('no starvation', contest(['k', 'other']))).toBe('holds');
    expect(proofOf('no starvation', contest(['k', 'free']))).toHaveLength(2);
  });

  it('finds a refusal long after the lock was given back', () => {
    const history = new Script().lock(10, 1, 'a', 1, 20).asked(300, 2, 'b').refused(310, 2).end(900);
    expect(proofOf('no starvation', history)).toEqual(['asked refused']);
  });

  it('accepts the rest of a dead holder, minHold, and a tick that has run', () => {
    const dead = new Script()
      .asked(10, 1, 'a')
      .granted(20, 1, 1)
      .client(30, 'killed', 'a')
      .asked(900, 2, 'b')
      .refused(910, 2);
    expect(proofOf('no starvation', dead.end(2000))).toBe('holds');
    const kept = new Script().lock(10, 1, 'a', 1, 20, { minHoldMs: 800 }).asked(700, 2, 'b').refused(710, 2);
    expect(proofOf('no starvation', kept.end(2000))).toBe('holds');
    const ran = new Script().tick(100, 1, ['a']).asked(800, 2, 'b', { tick: { atMs: 60_100, periodMs: 1000 } });
    expect(proofOf('no starvation', ran.refused(810, 2).end(2000))).toBe('holds');
  });

  it('accepts what a process that stood still right after it was refused had not given back yet', () => {
    const history = (pausedAtMs: number, askedAtMs: number): Script =>
      new Script()
        .asked(10, 1, 'a')
        .add({ kind: 'cancelled', atMs: 20, attempt: 1 })
        .refused(20, 1, 'CANCELLED')
        .client(pausedAtMs, 'paused', 'a')
        .client(3000, 'resumed', 'a')
        .asked(askedAtMs, 2, 'b')
        .refused(askedAtMs + 10, 2);
    expect(proofOf('no starvation', history(21, 900).end(4000))).toBe('holds');
    expect(proofOf('no starvation', history(21, 1100).end(4000))).toEqual(['asked refused']);
    expect(proofOf('no starvation', history(300, 900).end(4000))).toEqual(['asked refused']);
  });

  it('accepts what a process that died right after its release had not given back to the last server', () => {
    const history = (killedAtMs: number): Script =>
      new Script().lock(10, 1, 'a', 1, 20).client(killedAtMs, 'killed', 'a').asked(300, 2, 'b').refused(310, 2);
    expect(proofOf('no starvation', history(60).end(2000))).toBe('holds');
    expect(proofOf('no starvation', history(150).end(2000))).toEqual(['asked refused']);
  });

  it('accepts what a process had not given back to a server that was away before it shut down', () => {
    const history = (stoppedAtMs: number, askedAtMs: number): Script =>
      new Script()
        .server(5, 0, 'away')
        .asked(10, 1, 'a')
        .refused(20, 1, 'SHUTDOWN')
        .client(stoppedAtMs, 'stopped', 'a')
        .server(400, 0, 'up')
        .asked(askedAtMs, 2, 'b')
        .refused(askedAtMs + 10, 2);
    expect(proofOf('no starvation', history(60, 1300).end(4000))).toBe('holds');
    expect(proofOf('no starvation', history(60, 1500).end(4000))).toEqual(['asked refused']);
    expect(proofOf('no starvation', history(450, 1300).end(4000))).toEqual(['asked refused']);
  });

  it('accepts what a process held that shut down while a server was away', () => {
    const script = (awayAtMs: number): History =>
      new Script()
        .server(awayAtMs, 0, 'away')
        .asked(10, 1, 'a')
        .granted(20, 1, 1)
        .aborted(100, 1, 'shutdown')
        .client(160, 'stopped', 'a')
        .server(300, 0, 'up')
        .released(310, 1)
        .asked(700, 2, 'b')
        .refused(710, 2)
        .end(2000);
    expect(proofOf('no starvation', script(50))).toBe('holds');
    expect(proofOf('no starvation', script(250))).toHaveLength(1);
  });

  it('does not judge while a majority is away, or a contender stands still', () => {
    const away = new Script().asked(100, 1, 'a').refused(120, 1).server(10, 0, 'away').server(10, 1, 'away');
    expect(proofOf('no starvation', away.server(110, 0, 'up').server(110, 1, 'up').end(900))).toBe('holds');
    const script = new Script().asked(100, 1, 'a').asked(101, 2, 'b').refused(120, 1).refused(300, 2);
    const paused = script.client(105, 'paused', 'b').client(290, 'resumed', 'b');
    expect(proofOf('no starvation', paused.end(900))).toBe('holds');
  });

  it('P4: finds who was told that no majority can be reached while one was up, and stayed up', () => {
    const script = (): Script => new Script().asked(100, 1, 'a').refused(120, 1, 'QUORUM_UNREACHABLE');
    expect(proofOf('no starvation', script().end(900))).toEqual(['asked refused']);
    const away = script().server(10, 0, 'away');
    expect(proofOf('no starvation', away.end(900))).toHaveLength(1);
    expect(proofOf('no starvation', away.server(20, 1, 'away').end(900))).toBe('holds');
    expect(proofOf('no starvation', script().server(110, 0, 'away').end(900))).toBe('holds');
    const contested = away.asked(110, 2, 'b').refused(125, 2);
    expect(proofOf('no starvation', contested.end(900))).toBe('holds');
    const worse = script().server(10, 0, 'away').server(110, 0, 'away').server(115, 0, 'up');
    expect(proofOf('no starvation', worse.end(900))).toBe('holds');
    // A lock that was removed by force before its fencing token was confirmed; but not one of before, nor of another key.
    expect(proofOf('no starvation', script().removal(110, 115, 'b').end(900))).toBe('holds');
    expect(proofOf('no starvation', script().removal(20, 49, 'b').end(900))).toEqual(['asked refused']);
    expect(proofOf('no starvation', script().removal(110, 115, 'b', 'other').end(900))).toEqual(['asked refused']);
    // A process that stood still while a server was away connects anew.
    const resumed = (toMs: number, awayMs: number): Script =>
      new Script()
        .client(10, 'paused', 'a')
        .server(awayMs, 0, 'away')
        .server(awayMs + 5, 0, 'up')
        .client(toMs, 'resumed', 'a')
        .asked(200, 1, 'a')
        .refused(220, 1, 'QUORUM_UNREACHABLE');
    expect(proofOf('no starvation', resumed(150, 20).end(900))).toBe('holds');
    expect(proofOf('no starvation', resumed(149, 20).end(900))).toEqual(['asked refused']);
    expect(proofOf('no starvation', resumed(150, 3).end(900))).toEqual(['asked refused']);
  });

  it('accepts that a run that makes up for a tick is contended where a failed pause may have covered the tick on a server', () => {
    const makesUp = (pausedAtMs: number): History =>
      new Script()
        .add({ kind: 'due', atMs: 100, keys: ['k'], tickAtMs: 60_100, untilMs: 150, replicas: [] })
        .steering(pausedAtMs, 'c', 'pause', { forMs: 30, code: 'QUORUM_UNREACHABLE' })
        .norun(600, 1, 'a', 'undecided', { trigger: 'catch-up', tickAtMs: 60_100 })
        .norun(600, 2, 'b', 'undecided', { trigger: 'catch-up', tickAtMs: 60_100 })
        .end(2000);
    expect(proofOf('no starvation', makesUp(120))).toBe('holds');
    // Not one that began after the attempt was over.
    expect(proofOf('no starvation', makesUp(700))).toHaveLength(2);
  });

  it('P14: finds a waiter that waits for long for what nobody has', () => {
    const script = (atMs: number): Script => new Script().asked(100, 1, 'a', { waitMs: 5000 }).granted(atMs, 1, 9);
    expect(proofOf('no starvation', script(300).released(400, 1).end(900))).toBe('holds');
    expect(proofOf('no starvation', script(301).released(400, 1).end(900))).toEqual(['asked granted']);
    expect(proofOf('no starvation', script(301).released(400, 1).server(150, 2, 'away').end(900))).toBe('holds');
    expect(proofOf('no starvation', script(301).removal(90, 95, 'c').released(400, 1).end(900))).toBe('holds');
    // What another lock covers, until its release has settled, is no idle time.
    const after = (atMs: number): Script =>
      script(atMs)
        .lock(90, 2, 'b', 2, 300)
        .released(atMs + 10, 1);
    expect(proofOf('no starvation', after(610).end(2000))).toBe('holds');
    expect(proofOf('no starvation', after(611).end(2000))).toEqual(['asked granted']);
    // Also one that was granted long before.
    const long = (atMs: number): Script =>
      script(atMs)
        .lock(10, 2, 'b', 2, 700)
        .released(atMs + 10, 1);
    expect(proofOf('no starvation', long(930).end(2000))).toBe('holds');
    expect(proofOf('no starvation', long(931).end(2000))).toEqual(['asked granted']);
    // Its own process has given it back before, and leaves it to others for a while.
    const own = (atMs: number): Script =>
      script(atMs)
        .lock(20, 2, 'a', 2, 60)
        .released(atMs + 10, 1);
    expect(proofOf('no starvation', own(400).end(2000))).toBe('holds');
    expect(proofOf('no starvation', own(401).end(2000))).toEqual(['asked granted']);
    const cancelled = new Script()
      .asked(100, 1, 'a', { waitMs: null })
      .add({ kind: 'cancelled', atMs: 400, attempt: 1 });
    expect(proofOf('no starvation', cancelled.refused(400, 1, 'CANCELLED').end(900))).toEqual(['asked refused']);
  });

  it('waits for a minHold for longer where the machine of the holder was suspended', () => {
    const waits = (suspended: boolean, minHoldMs: number): History =>
      new Script()
        .asked(10, 2, 'b', { minHoldMs })
        .granted(20, 2, 2)
        .add({ kind: 'paused', atMs: 30, client: 'b', ...(suspended && { suspended }) })
        .client(330, 'resumed', 'b')
        .released(340, 2)
        .asked(345, 1, 'a', { waitMs: 5000 })
        .granted(820, 1, 9)
        .released(830, 1)
        .end(2000);
    expect(proofOf('no starvation', waits(true, 300))).toBe('holds');
    expect(proofOf('no starvation', waits(false, 300))).toEqual(['asked granted']);
    expect(proofOf('no starvation', waits(true, 200))).toEqual(['asked granted']);
  });

  it('waits for a minHold for longer where no majority has confirmed the release', () => {
    const waits = (grantedAtMs: number, code?: string): History =>
      new Script()
        .asked(10, 2, 'b', { minHoldMs: 300 })
        .granted(20, 2, 2)
        .add({ kind: 'releasing', atMs: 30, attempt: 2 })
        .add({ kind: 'released', atMs: 40, attempt: 2, ...(code !== undefined && { code }) })
        .asked(45, 1, 'a', { waitMs: 5000 })
        .granted(grantedAtMs, 1, 9)
        .released(grantedAtMs + 10, 1)
        .end(5000);
    // The ttl, what is left of the minHold at a server that carries the release out late, a grace time, and an idle time.
    const latestMs = 30 + 1000 + 300 + 50 + 200;
    expect(proofOf('no starvation', waits(latestMs, 'QUORUM_UNREACHABLE'))).toBe('holds');
    expect(proofOf('no starvation', waits(latestMs + 1, 'QUORUM_UNREACHABLE'))).toEqual(['asked granted']);
    expect(proofOf('no starvation', waits(latestMs))).toEqual(['asked granted']);
  });

  it('finds a waiter that is overtaken again and again', () => {
    const script = (times: number): History => {
      const waiting = new Script(['a', 'b', 'c'], { mostIdleMs: 1000 }).asked(10, 1, 'a', { waitMs: 5000 });
      for (let round = 1; round <= times; round++) waiting.lock(round * 100, 1 + round, 'b', round, 20);
      return waiting.granted(1000, 1, 99).released(1010, 1).end(2000);
    };
    expect(proofOf('no starvation', script(3))).toBe('holds');
    expect(proofOf('no starvation', script(4))).toEqual(['asked granted granted granted granted']);
  });

  it.each([
    ['died', (script: Script) => script.client(150, 'killed', 'a')],
    [
      'stood still',
      (script: Script) =>
        script.client(150, 'paused', 'a').client(950, 'resumed', 'a').granted(1000, 1, 99).released(1010, 1),
    ],
  ] as const)('does not ask who %s meanwhile to be in time', (_, befall) => {
    const waiting = new Script().asked(10, 1, 'a', { waitMs: 5000 });
    for (let round = 1; round <= 8; round++) waiting.lock(round * 100, 1 + round, 'b', round, 20);
    expect(proofOf('no starvation', befall(waiting).end(2000))).toBe('holds');
  });
});

describe('a history that is not complete', () => {
  /** A little of everything, and all of it well. */
  const whole = new Script()
    .lock(10, 1, 'a', 1, 80)
    .asked(200, 2, 'b')
    .granted(210, 2, 2)
    .extension(300, 2, 1000, 10)
    .extended(310, 2, 1250)
    .aborted(1250, 2)
    .client(1300, 'paused', 'b')
    .client(1400, 'resumed', 'b')
    .asked(1500, 3, 'c', { waitMs: null })
    .add({ kind: 'cancelled', atMs: 1600, attempt: 3 })
    .refused(1600, 3, 'CANCELLED')
    .server(1700, 1, 'away')
    .server(1800, 1, 'up')
    .tick(2000, 10, ['a', 'b'])
    .asked(3000, 20, 'c')
    .granted(3010, 20, 30)
    .add({ kind: 'began', atMs: 3015, attempt: 20 })
    .client(3020, 'killed', 'c')
    .steering(4000, 'a', 'pause')
    .norun(4050, 31, 'b', 'paused')
    .reading(4100, 'b', [], { pausedLeftMs: null })
    .steering(4200, 'b', 'resume')
    .run(4300, 32, 'a', { trigger: 'manual', heldMs: 20 })
    .run(4400, 35, 'a', { trigger: 'catch-up', tickAtMs: 60_000, heldMs: 20 })
    .norun(4500, 33, 'b', 'already-ran', { trigger: 'again', tickAtMs: 60_000 })
    .norun(4550, 34, 'b', 'already-ran', { trigger: 'catch-up', tickAtMs: 60_000 })
    .reading(
      4600,
      'b',
      [
        { attempt: 35, trigger: 'catch-up', tickMs: 60_000 },
        { attempt: 32, trigger: 'manual' },
      ],
      { coveredMs: 60_000 },
    )
    .add({ kind: 'emitted', atMs: 5000, client: 'a', counts: { acquired: 4, contended: 0, unreachable: 0, lost: 0 } })
    .client(5000, 'stopped', 'a')
    .end(6000);

  it('holds as it is', () => {
    for (const verdict of check(whole)) expect(verdict).toMatchObject({ outcome: 'holds' });
  });

  /** Without these less is judged: work under a lock, and an end in good order. A run of a tick is known by its lock. */
  const harmless: readonly HistoryEvent['kind'][] = ['began', 'ended', 'stopped'];

  it.each(
    whole.events.flatMap((event, index) =>
      harmless.includes(event.kind) ? [] : [[index, event.kind, event.atMs] as const],
    ),
  )('is not passed without its event %i (%s at %i)', (index) => {
    const verdicts = check({ ...whole, events: whole.events.toSpliced(index, 1) });
    expect(verdicts.some(({ outcome }) => outcome !== 'holds')).toBe(true);
  });

  it('is not passed in another order', () => {
    for (const verdict of check({ ...whole, events: whole.events.toReversed() })) {
      expect(verdict.outcome).not.toBe('holds');
    }
  });

  it('is unknown, and not well, where nothing happened at all', () => {
    for (const verdict of check({ ...whole, events: [] })) expect(verdict).toMatchObject({ outcome: 'unknown' });
  });

  it('is not judged where the run says that it claims nothing', () => {
    const about = { ...whole.about, outside: { 'mutual exclusion': 'a majority was flushed' } };
    const [first] = check({ ...whole, about });
    expect(first).toMatchObject({ outcome: 'unknown', why: 'outside', reason: 'a majority was flushed' });
  });

  it('still shows what is broken', () => {
    const { about, events } = new Script().lock(10, 1, 'a', 1, 100).lock(60, 2, 'b', 2, 100).end(900);
    const cut = { about, events: events.filter(({ kind }) => kind !== 'end') };
    expect(verdictOf('mutual exclusion', cut).outcome).toBe('violated');
  });
});
