import { describe, expect, it } from '@jest/globals';
import { proofOf, Script, verdictOf } from './by-hand.js';

/** A tick of long ago. */
const TICK = 60_000;

describe('P20: the checker of paused jobs', () => {
  const paused = (more = {}): Script => new Script().steering(10, 'a', 'pause', more);
  const proof = (script: Script): string[] | string => proofOf('paused jobs stay', script.end(5000));

  it('accepts that a run is refused, and that one is granted which was asked for before the pause returned', () => {
    const history = paused().norun(30, 1, 'b', 'paused').end(900);
    expect(verdictOf('paused jobs stay', history)).toMatchObject({ outcome: 'holds', judged: 1 });
    expect(proof(paused().run(15, 1, 'b', { heldMs: 5 }))).toBe('unknown');
  });

  it('finds a run that is granted after the pause has returned, whatever made it', () => {
    for (const trigger of ['schedule', 'manual', 'catch-up', 'again'] as const) {
      expect(proof(paused().run(30, 1, 'b', { trigger }))).toEqual(['steering steered asked granted']);
    }
    expect(proof(paused().asked(30, 1, 'b').granted(40, 1, 1))).toBe('unknown');
  });

  it('asks nothing once a resume has begun, also one that fails, until the job is paused again', () => {
    expect(proof(paused().steering(100, 'b', 'resume').run(105, 1, 'b'))).toBe('unknown');
    const failed = (): Script => paused().steering(100, 'b', 'resume', { code: 'QUORUM_UNREACHABLE' });
    expect(proof(failed().run(500, 1, 'b'))).toBe('unknown');
    expect(proof(failed().steering(500, 'a', 'pause').run(600, 1, 'b'))).toHaveLength(1);
    expect(proof(failed().steering(105, 'a', 'pause').run(600, 1, 'b'))).toBe('unknown');
  });

  it('goes by the time of a pause, as fast as a server may take it', () => {
    const about = { driftFactor: 0.1 };
    const script = (atMs: number): Script =>
      new Script(['a', 'b'], about).steering(10, 'a', 'pause', { forMs: 1000 }).run(atMs, 1, 'b', { heldMs: 5 });
    expect(proof(script(790))).toHaveLength(1);
    expect(proof(script(801))).toBe('unknown');
  });

  it('takes the shorter one of two pauses at the same time', () => {
    const two = (atMs: number): Script => paused().steering(15, 'b', 'pause', { forMs: 500 }).run(atMs, 1, 'b');
    expect(proof(two(400))).toHaveLength(1);
    expect(proof(two(600))).toBe('unknown');
  });

  it('a pause that nobody confirmed proves nothing', () => {
    expect(proof(paused({ code: 'QUORUM_UNREACHABLE' }).run(500, 1, 'b'))).toBe('unknown');
  });

  it('goes on where a server that has lost its data is one too few, and stops where it may be one too many', () => {
    expect(proof(paused().loss(200, 0).run(500, 1, 'b'))).toHaveLength(1);
    expect(proof(paused().loss(200, 0).loss(210, 0).run(500, 1, 'b'))).toHaveLength(1);
    expect(proof(paused().loss(200, 0).loss(210, 1).run(500, 1, 'b'))).toBe('unknown');
    const away = paused().server(5, 2, 'away').server(100, 2, 'up');
    expect(proof(away.loss(200, 0).run(500, 1, 'b'))).toBe('unknown');
  });
});

describe('P20: the checker of runs that are lost by a pause', () => {
  const script = (more = {}): Script => new Script().steering(10, 'a', 'pause', more);
  const proof = (history: Script): string[] | string => proofOf('no run lost by a pause', history.end(5000));

  it('finds a run that is refused after a resume has returned', () => {
    const resumed = (): Script => script().steering(100, 'b', 'resume');
    expect(proof(resumed().norun(105, 1, 'b', 'paused'))).toBe('unknown');
    expect(proof(resumed().norun(200, 1, 'b', 'paused'))).toEqual(['asked refused']);
    expect(proof(resumed().norun(200, 1, 'b', 'locked'))).toBe('holds');
    expect(proof(resumed().run(200, 1, 'b', { heldMs: 5 }))).toBe('holds');
  });

  it('accepts a refusal under a pause that was never resumed, or resumed in vain, or paused anew', () => {
    expect(proof(script().norun(500, 1, 'b', 'paused'))).toBe('unknown');
    const failed = script().steering(100, 'b', 'resume', { code: 'QUORUM_UNREACHABLE' });
    expect(proof(failed.norun(500, 1, 'b', 'paused'))).toBe('unknown');
    const anew = script().steering(100, 'b', 'resume').steering(200, 'b', 'pause', { code: 'QUORUM_UNREACHABLE' });
    expect(proof(anew.norun(500, 1, 'b', 'paused'))).toBe('unknown');
  });

  it('goes by the time of a pause, as late as a server may have heard of it', () => {
    const timed = (atMs: number): Script => script({ forMs: 500 }).norun(atMs, 1, 'b', 'paused');
    expect(proof(timed(615))).toBe('unknown');
    expect(proof(timed(625))).toHaveLength(1);
    const late = timed(625).server(100, 0, 'away').server(300, 0, 'up');
    expect(proof(late)).toBe('unknown');
  });

  it('finds a run that is refused before any pause', () => {
    const early = new Script().norun(5, 1, 'b', 'paused').steering(20, 'a', 'pause');
    expect(proof(early)).toHaveLength(1);
  });
});

describe('P20: the checker of the register', () => {
  const run = (more = {}): Script => new Script().run(10, 1, 'a', { heldMs: 80, ...more });
  const proof = (script: Script): string[] | string => proofOf('register is fresh', script.end(5000));

  it('accepts what has happened, also where a run is younger than the reading', () => {
    expect(proof(run().reading(150, 'b', [{ attempt: 1 }]))).toBe('holds');
    expect(proof(run().reading(15, 'b', []))).toBe('holds');
    expect(proof(run({ failed: true }).reading(150, 'b', [{ attempt: 1, outcome: 'failed' }]))).toBe('holds');
  });

  it('finds a run that is missing, as soon as it had its lock', () => {
    expect(proof(run().reading(25, 'b', []))).toEqual(['asked granted reading readSettled']);
    expect(proof(run().reading(150, 'b', []))).toHaveLength(1);
  });

  it('finds another end than it had, as soon as its release was confirmed', () => {
    expect(proof(run().reading(95, 'b', [{ attempt: 1, outcome: 'running' }]))).toBe('holds');
    for (const outcome of ['running', 'died', 'failed', 'lost'] as const) {
      expect(proof(run().reading(150, 'b', [{ attempt: 1, outcome }]))).toHaveLength(1);
    }
    expect(proof(run({ failed: true }).reading(150, 'b', [{ attempt: 1 }]))).toHaveLength(1);
  });

  it('finds a tick that ran and is not shown as covered', () => {
    const ticked = (coveredMs: number): Script =>
      run({ tickAtMs: TICK }).reading(150, 'b', [{ attempt: 1 }], { coveredMs });
    expect(proof(ticked(TICK))).toBe('holds');
    expect(proof(ticked(TICK - 1))).toHaveLength(1);
  });

  it('asks no more than the servers can know that are left', () => {
    expect(proof(run().loss(165, 0).reading(200, 'b', []))).toHaveLength(1);
    expect(proof(run().loss(165, 0).loss(166, 1).reading(300, 'b', []))).toBe('holds');
    const open = new Script().run(10, 1, 'a').client(100, 'killed', 'a');
    expect(proof(open.loss(120, 0).reading(150, 'b', []))).toBe('holds');
  });

  it('finds a pause, or its end, that is not shown', () => {
    const paused = (): Script => new Script().steering(10, 'a', 'pause');
    expect(proof(paused().reading(50, 'b', [], { pausedLeftMs: null }))).toBe('holds');
    expect(proof(paused().reading(50, 'b', []))).toEqual(['reading readSettled']);
    const resumed = paused().steering(100, 'a', 'resume');
    expect(proof(resumed.reading(150, 'b', [], { pausedLeftMs: null }))).toHaveLength(1);
  });
});

describe('P20: the checker of runs that died', () => {
  const died = { attempt: 1, outcome: 'died' } as const;
  const proof = (script: Script): string[] | string => proofOf('died only without an end', script.end(5000));

  it('accepts one whose process was killed, or whose lock was lost, or whose release failed', () => {
    expect(proof(new Script().run(10, 1, 'a').client(100, 'killed', 'a').reading(1500, 'b', [died]))).toBe('holds');
    expect(proof(new Script().run(10, 1, 'a').aborted(900, 1).reading(1500, 'b', [died]))).toBe('holds');
    const failed = new Script()
      .run(10, 1, 'a')
      .add(
        { kind: 'releasing', atMs: 100, attempt: 1 },
        { kind: 'released', atMs: 200, attempt: 1, code: 'QUORUM_UNREACHABLE' },
      );
    expect(proof(failed.reading(1500, 'b', [died]))).toBe('holds');
  });

  it('finds one that has its lock, and one that had ended', () => {
    expect(proof(new Script().run(10, 1, 'a').reading(100, 'b', [died]))).toEqual(['reading readSettled']);
    expect(proof(new Script().run(10, 1, 'a', { heldMs: 50 }).reading(200, 'b', [died]))).toHaveLength(1);
    expect(proof(new Script().run(10, 1, 'a', { heldMs: 50 }).reading(65, 'b', [died]))).toBe('holds');
  });

  it('accepts one that was never granted where it may not be undone, and no other one', () => {
    const refused = (): Script => new Script().norun(10, 1, 'a', 'locked');
    expect(proof(refused().reading(50, 'b', [died]))).toBe('holds');
    expect(proof(refused().reading(100, 'b', [died]))).toHaveLength(1);
    expect(proof(refused().server(15, 1, 'away').server(80, 1, 'up').reading(200, 'b', [died]))).toBe('holds');
    expect(proof(refused().reading(50, 'b', [{ ...died, owner: 'b' }]))).toHaveLength(1);
    expect(proof(refused().reading(50, 'b', [{ ...died, trigger: 'again' }]))).toHaveLength(1);
  });
});

describe('P20: the checker of covered ticks', () => {
  const catchUp = (script: Script, atMs: number, tickAtMs = TICK): Script =>
    script.run(atMs, 9, 'c', { trigger: 'catch-up', tickAtMs, heldMs: 5 });
  const proof = (script: Script): string[] | string => proofOf('covered ticks stay', script.end(5000));

  it('accepts a tick that nobody has run', () => {
    expect(proof(catchUp(new Script(), 100))).toBe('holds');
    expect(proof(catchUp(new Script().run(10, 1, 'a', { tickAtMs: TICK - 1000, heldMs: 5 }), 100))).toBe('holds');
  });

  it('finds one that has run, also without an end, and one of which a later one has', () => {
    const ran = (tickAtMs: number): Script => new Script().run(10, 1, 'a', { tickAtMs, heldMs: 5 });
    expect(proof(catchUp(ran(TICK), 100))).toEqual(['asked granted asked granted']);
    expect(proof(catchUp(ran(TICK + 1000), 100))).toHaveLength(1);
    const killed = new Script().run(10, 1, 'a', { tickAtMs: TICK }).client(50, 'killed', 'a');
    expect(proof(catchUp(killed, 2000))).toHaveLength(1);
    expect(proof(catchUp(ran(TICK), 15))).toBe('holds');
    expect(proof(catchUp(ran(TICK).loss(50, 0), 100))).toBe('holds');
  });

  it('finds one that came during a pause, and one that a process has covered', () => {
    const paused = new Script().steering(10, 'a', 'pause').norun(100, 1, 'a', 'paused', { tickAtMs: TICK });
    expect(proof(catchUp(paused.steering(200, 'a', 'resume'), 300))).toEqual(['steering asked refused asked granted']);
    const covered = (): Script => new Script().steering(10, 'a', 'cover', { tickAtMs: TICK, tookMs: 0 });
    expect(proof(catchUp(covered(), 100))).toEqual(['steering asked granted']);
    expect(proof(catchUp(covered(), 100, TICK + 1))).toBe('holds');
    expect(proof(catchUp(covered().server(5, 1, 'away').server(20, 1, 'up'), 100))).toBe('holds');
  });
});

describe('P20: the checker of ticks that are run again', () => {
  const again = (script: Script, atMs: number, attempt = 9): Script =>
    script.run(atMs, attempt, 'c', { trigger: 'again', tickAtMs: TICK, heldMs: 5 });
  const killed = (): Script => new Script().run(10, 1, 'a', { tickAtMs: TICK }).client(50, 'killed', 'a');
  const proof = (script: Script): string[] | string => proofOf('again once', script.end(5000));

  it('accepts one whose first run died, which no other checker takes for a second run', () => {
    expect(proof(again(killed(), 1500))).toBe('holds');
    expect(proofOf('one run a tick', again(killed(), 1500).end(5000))).toBe('holds');
  });

  it('finds one whose first run had ended, and one that is run a third time', () => {
    const ended = new Script().run(10, 1, 'a', { tickAtMs: TICK, heldMs: 5 });
    expect(proof(again(ended, 100))).toEqual(['asked granted released asked granted released']);
    expect(proof(again(again(killed(), 1500), 2000, 10))).toHaveLength(1);
    const dead = killed().run(1500, 2, 'b', { trigger: 'again', tickAtMs: TICK }).client(1550, 'killed', 'b');
    expect(proof(again(dead, 3000))).toHaveLength(1);
  });

  it('asks nothing where a server may have forgotten the first run', () => {
    const ended = new Script().server(5, 2, 'away').run(10, 1, 'a', { tickAtMs: TICK, heldMs: 5 }).server(90, 2, 'up');
    expect(proof(again(ended.loss(100, 0), 1500))).toBe('holds');
  });
});

describe('P8 and P20: what older checkers make of jobs', () => {
  it('a tick is not lost while its job is paused', () => {
    const tick = { atMs: 60_500, periodMs: 1000 };
    const script = (): Script =>
      new Script()
        .add({ kind: 'due', atMs: 500, keys: ['k'], tickAtMs: 60_500, untilMs: 600, replicas: ['a'] })
        .asked(500, 1, 'a', { tick, job: 'k', trigger: 'schedule' })
        .refused(510, 1, 'LOCK_CONTENDED', 'paused');
    expect(proofOf('no lost tick', script().steering(100, 'b', 'pause').end(2000))).toBe('holds');
    expect(proofOf('no lost tick', script().end(2000))).toHaveLength(1);
    expect(proofOf('no starvation', script().steering(100, 'b', 'pause').end(2000))).toBe('holds');
  });

  it('a tick that is made up for has run', () => {
    const tick = { atMs: 60_500, periodMs: 1000 };
    const script = new Script()
      .add({ kind: 'due', atMs: 500, keys: ['k'], tickAtMs: 60_500, untilMs: 600, replicas: ['a'] })
      .run(480, 2, 'b', { trigger: 'catch-up', tickAtMs: 60_500, heldMs: 5 })
      .asked(500, 1, 'a', { tick, job: 'k', trigger: 'schedule' })
      .refused(510, 1, 'LOCK_CONTENDED', 'already-ran');
    expect(proofOf('no lost tick', script.end(2000))).toBe('holds');
    const twice = script.run(700, 3, 'c', { trigger: 'catch-up', tickAtMs: 60_500, heldMs: 5 });
    expect(proofOf('one run a tick', twice.end(2000))).toHaveLength(1);
  });

  it('P5: a reading takes one node timeout, and a change, which reads first, two', () => {
    const read = (tookMs: number): Script => new Script().reading(10, 'a', [], { tookMs });
    expect(proofOf('settles in time', read(100).end(900))).toBe('holds');
    expect(proofOf('settles in time', read(101).end(900))).toEqual(['reading readSettled']);
    const pause = (tookMs: number): Script => new Script().steering(10, 'a', 'pause', { tookMs });
    expect(proofOf('settles in time', pause(200).end(900))).toBe('holds');
    expect(proofOf('settles in time', pause(201).end(900))).toEqual(['steering steered']);
  });
});
