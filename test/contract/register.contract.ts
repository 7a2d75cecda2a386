import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobNote, RunEnd, RunTrigger } from '../../lib/core/ports/job-note.js';
import type { NodeReply, NodeRequest } from '../../lib/core/ports/lock-node.js';
import { parseRegister, type Register } from '../../lib/core/register.js';
import type { HostileSubject } from './hostile-values.contract.js';
import type { Subject } from './lock-node.contract.js';

const DAY_MS = 24 * 3600 * 1000;

const job = (trigger: RunTrigger = 'schedule', tickMs = 1000, end?: RunEnd, key = '{k}:job'): JobNote => ({
  key,
  start: { trigger, tickMs, startedAtMs: tickMs + 5 },
  end,
});
/** As the lock of a job asks: the key with a counter, and after it the claim of the tick. */
const acquire = (token: string, note: JobNote = job(), more: Partial<NodeRequest> = {}): NodeRequest => ({
  kind: 'acquire',
  token,
  owner: `host of ${token}:1`,
  fenceStart: 500,
  claims: [
    { key: 'k', ttlMs: 5000, counter: '{k}:fence' },
    { key: `{k}:tick:${note.start.tickMs}`, ttlMs: 60_000, staysBehind: true },
  ],
  job: note,
  ...more,
});
const release = (token: string, note: JobNote, fence = 0): NodeRequest => ({
  ...{ kind: 'release', token, owner: `host of ${token}:1`, fence, claims: [{ key: 'k', ttlMs: 0 }], job: note },
});
/** What an attempt sends that did not get the lock. */
const undo = (token: string, note: JobNote): NodeRequest => ({
  ...release(token, note),
  claims: [
    { key: `{k}:tick:${note.start.tickMs}`, ttlMs: 0 },
    { key: 'k', ttlMs: 0 },
  ],
});
const ended = (outcome: RunEnd['outcome'], error?: string): RunEnd => ({ outcome, endedAtMs: 2000, error });
const steer = (version: number, leftMs: number, reason = '', coveredMs = 0, key = '{k}:job'): NodeRequest => ({
  ...{ kind: 'steer', token: '-', owner: 'o', claims: [{ key: 'k', ttlMs: 0 }], job: job('manual', 0, undefined, key) },
  ...{ pause: { version, leftMs, reason }, coveredMs },
});
const read = (key = '{k}:job'): NodeRequest => ({
  ...{ kind: 'read', token: '-', owner: 'o', claims: [{ key: 'k', ttlMs: 0 }], job: job('manual', 0, undefined, key) },
});

/** What every lock node does alike about the register of a job. */
export function registerContract(subject: () => Subject): void {
  const ask = (...requests: NodeRequest[]): Promise<readonly NodeReply[]> => subject().ask(requests);
  const shown = async (key?: string): Promise<Register & { readonly leftMs: number }> => {
    const [reply] = await ask(read(key));
    if (reply?.outcome !== 'read') throw new Error(`Not read: ${JSON.stringify(reply)}`);
    const register = parseRegister(reply.register);
    const { until } = register;
    return { ...register, leftMs: until === 'open' ? Infinity : Math.max(0, (until ?? 0) - reply.nowMs) };
  };
  const tokens = async (): Promise<string[]> => (await shown()).runs.map(({ token }) => token);
  const run = async (token: string, note: JobNote): Promise<void> => {
    const [reply] = await ask(acquire(token, note), release(token, { ...note, end: ended('succeeded') }));
    expect(reply).toMatchObject({ outcome: 'granted' });
  };
  beforeEach(() => subject().flush());

  describe('the register of a job', () => {
    it('is empty where nothing was noted, and to read it changes nothing', async () => {
      const [reply] = await ask(read(), read());
      expect(reply).toEqual({ outcome: 'read', register: '', nowMs: expect.any(Number), holder: undefined });
      expect(Math.abs((reply as { nowMs: number }).nowMs)).toBeGreaterThan(0);
    });

    it('has a run from its grant on, under the number of the grant, and shows the holder of the lock', async () => {
      const [granted] = await ask(acquire('t'));
      const { fence } = granted as { fence: number };
      expect(granted).toEqual({ outcome: 'granted', fence: expect.any(Number), pauseVersion: 0 });
      const [reply] = await ask(read());
      expect(reply).toMatchObject({ outcome: 'read', holder: { key: 'k', token: 't', owner: 'host of t:1', fence } });
      expect((await shown()).runs).toEqual([
        {
          ...{ token: 't', fence, trigger: 'schedule', tickMs: 1000, startedAtMs: 1005, endedAtMs: 0 },
          ...{ outcome: 'running', owner: 'host of t:1', error: undefined },
        },
      ]);
    });

    it('has a run once, however often it is granted and ended, and the newest first', async () => {
      await run('t', job('schedule', 1000));
      await ask(acquire('u', job('catch-up', 2000)), acquire('u', job('catch-up', 2000)));
      await ask(release('t', job('schedule', 1000, ended('failed', 'at last'))));
      expect((await shown()).runs).toMatchObject([
        { token: 'u', trigger: 'catch-up', outcome: 'running' },
        { token: 't', outcome: 'failed', error: 'at last' },
      ]);
    });

    it('keeps the end of a run whose acquire is delivered again', async () => {
      await run('t', job('schedule', 1000));
      const { runs } = await shown();
      await ask(acquire('t', job('schedule', 1000)));
      expect((await shown()).runs).toEqual(runs);
    });

    it('loses a run whose attempt is undone, and no other one', async () => {
      await run('t', job());
      await ask(acquire('u', job('manual', 0)));
      expect(await tokens()).toEqual(['u', 't']);
      expect(await ask(undo('u', job('manual', 0)))).toMatchObject([{ outcome: 'released', gone: false }]);
      expect(await tokens()).toEqual(['t']);
      expect((await ask(read()))[0]).not.toHaveProperty('holder.token');
    });

    it('is not made by an attempt that is undone, nor by one that is denied', async () => {
      await ask(undo('t', job()), { ...acquire('u'), job: undefined });
      expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'denied', holder: { key: 'k', token: 'u' } }]);
      expect(await ask(read())).toMatchObject([{ register: '' }]);
    });

    it.each<[RunEnd['outcome'], string | undefined]>([
      ['succeeded', undefined],
      ['failed', 'cannot reach späte-Rechnung:\n"42%" 東京 🦉'],
      ['lost', undefined],
    ])('keeps a run that %s, with the fencing token of its lock', async (outcome, error) => {
      await ask(acquire('t'), release('t', job('schedule', 1000, ended(outcome, error)), 777));
      expect((await shown()).runs).toEqual([
        {
          ...{ token: 't', fence: 777, trigger: 'schedule', tickMs: 1000, startedAtMs: 1005, endedAtMs: 2000 },
          ...{ outcome, owner: 'host of t:1', error },
        },
      ]);
    });

    it('keeps the end of a run that this node had not heard of, and of one whose lock was gone', async () => {
      const note = job('manual', 0, ended('succeeded'));
      expect(await ask(release('t', note, 5))).toEqual([{ outcome: 'released', heard: 0, gone: true }]);
      await ask({ ...acquire('u', job('schedule', 3000)), claims: [{ key: 'k', ttlMs: 50 }] });
      await subject().pass(100);
      await ask(release('u', job('schedule', 3000, ended('lost'))));
      expect((await shown()).runs).toMatchObject([
        { token: 'u', outcome: 'lost' },
        { token: 't', outcome: 'succeeded', fence: 5 },
      ]);
    });

    it('has twenty runs, and remembers the latest tick of those that it had before', async () => {
      for (let n = 1; n <= 23; n++) await run(`t${n}`, job('schedule', n * 1000));
      const { runs, coveredMs } = await shown();
      expect([runs.length, runs[0]?.token, runs.at(-1)?.token, coveredMs]).toEqual([20, 't23', 't4', 3000]);
      await ask(steer(1, 0, '', 9000));
      await run('t24', job('schedule', 24_000));
      expect((await shown()).coveredMs).toBe(9000);
    });

    it('has room for twenty runs with the longest texts, which are cut', async () => {
      const owner = '🦉'.repeat(200);
      for (let n = 0; n < 21; n++) {
        const note = job('manual', 0, ended('failed', `${n} ${'%ß\u0000'.repeat(100)}`));
        await ask({ ...release(`${'t'.repeat(40)}${n}`, note, 8e15), owner });
      }
      await ask(steer(1.7e15, Infinity, '東'.repeat(1000)));
      const { runs, reason, until } = await shown();
      expect([runs.length, until]).toEqual([20, 'open']);
      expect(runs[0]).toMatchObject({ token: `${'t'.repeat(40)}20`, fence: 8e15 });
      expect(runs.at(-1)?.error).toMatch(/^1 (%ß\0){30,}%?ß?$/u);
      expect(runs[0]?.owner).toMatch(/^🦉{10,100}$/u);
      expect(reason).toMatch(/^東{50,200}$/);
    });

    it('is not that of another job, and several are asked in one batch with locks that have none', async () => {
      const other = '{k}:job:["other"]';
      const note = job('schedule', 2000, undefined, other);
      const claims = [{ key: 'l', ttlMs: 5000 }];
      const replies = await ask(
        steer(3, Infinity, 'now'),
        { ...acquire('p'), job: undefined },
        acquire('t', note, { claims }),
        acquire('u'),
        undo('p', job()),
        steer(4, 0),
        acquire('u'),
        read(other),
        read(),
      );
      expect(replies.map(({ outcome }) => outcome)).toEqual([
        'steered',
        'granted',
        'granted',
        'denied',
        'released',
        'steered',
        'granted',
        'read',
        'read',
      ]);
      expect((await shown(other)).runs).toMatchObject([{ token: 't', tickMs: 2000 }]);
      expect(await shown(other)).toMatchObject({ version: 0, leftMs: 0 });
      expect(await tokens()).toEqual(['u']);
    });

    it('is of no concern to confirmations, extensions and removals of the lock', async () => {
      const [granted] = await ask(acquire('t'));
      const { fence } = granted as { fence: number };
      const claims = [{ key: 'k', ttlMs: 5000 }];
      await ask({ ...acquire('t', job('manual', 7)), claims, kind: 'confirm', fence, grantedFence: fence });
      await ask({ ...acquire('t', job('manual', 7)), claims, kind: 'extend' });
      await ask({ ...acquire('t', job('manual', 7)), claims, kind: 'remove' });
      expect((await shown()).runs).toMatchObject([{ token: 't', trigger: 'schedule', tickMs: 1000 }]);
    });
  });

  describe('a pause', () => {
    it('denies each run, says for how long and why, and covers the tick', async () => {
      expect(await ask(steer(7, 60_000, 'a new\ndatabase: 100 % "Ω"'))).toEqual([{ outcome: 'steered' }]);
      for (const [trigger, tickMs] of [
        ['schedule', 2000],
        ['manual', 0],
        ['catch-up', 1000],
        ['again', 500],
      ] as const) {
        const [reply] = await ask(acquire('t', job(trigger, tickMs)));
        expect(reply).toEqual({
          outcome: 'denied',
          holder: {
            ...{ key: '{k}:job', token: 'paused', owner: 'a new\ndatabase: 100 % "Ω"', fence: 7 },
            remainingMs: expect.any(Number),
          },
        });
        const { remainingMs } = (reply as { holder: { remainingMs: number } }).holder;
        expect(remainingMs).toBeGreaterThan(50_000);
        expect(remainingMs).toBeLessThanOrEqual(60_001);
      }
      expect(await shown()).toMatchObject({ version: 7, coveredMs: 2000, runs: [] });
      expect(await ask(acquire('u', job(), { job: undefined }))).toMatchObject([{ outcome: 'granted' }]);
    });

    it('denies a run whose token has the lock already, and leaves that lock and its mark alone', async () => {
      await ask(acquire('t'), steer(1, Infinity));
      expect(await ask(acquire('t'))).toMatchObject([
        { outcome: 'denied', holder: { token: 'paused', owner: '', remainingMs: Infinity } },
      ]);
      await ask(release('t', job('schedule', 1000, ended('succeeded'))));
      expect((await shown()).runs).toMatchObject([{ token: 't', outcome: 'succeeded' }]);
    });

    it('ends when its time is over, and a grant still tells its version', async () => {
      await ask(steer(7, 200));
      expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'denied', holder: { token: 'paused' } }]);
      await subject().pass(250);
      expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'granted', pauseVersion: 7 }]);
      // The end stays: no tick before it is made up for.
      expect(await shown()).toMatchObject({ version: 7, leftMs: 0, until: expect.any(Number) });
    });

    it('goes by the highest version, wherever it comes from, and covers ticks by any', async () => {
      await ask(steer(2, Infinity, 'two', 5000));
      await ask(steer(1, 0, 'one', 6000), steer(2, 0, 'two again', 4000));
      expect(await shown()).toMatchObject({ version: 2, until: 'open', reason: 'two', coveredMs: 6000 });
      await ask(steer(3, 0, 'over'));
      expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'granted', pauseVersion: 3 }]);
      await ask(steer(2, Infinity, 'late'));
      expect(await shown()).toMatchObject({ version: 3, until: undefined, leftMs: 0, coveredMs: 6000 });
    });

    it('may be as long as a number can say, and keeps the runs', async () => {
      await run('t', job());
      await ask(steer(1, Number.MAX_SAFE_INTEGER));
      expect(await shown()).toMatchObject({ runs: [{ token: 't' }] });
      expect((await shown()).leftMs).toBeGreaterThan(1e14);
      expect(await ask(acquire('u'))).toMatchObject([{ outcome: 'denied', holder: { token: 'paused' } }]);
    });
  });

  describe('a run to catch up', () => {
    it.each<[string, number, string | undefined]>([
      ['of the tick that has run last', 5000, 'host of t:1'],
      ['of an earlier one', 4000, 'host of t:1'],
      ['of a later one', 6000, undefined],
    ])('%s: is made only where nothing has run since', async (_, tickMs, owner) => {
      await run('t', job('schedule', 5000));
      const [reply] = await ask(acquire('u', job('catch-up', tickMs)));
      if (owner === undefined) expect(reply).toMatchObject({ outcome: 'granted' });
      else {
        const holder = { key: `{k}:tick:${tickMs}`, token: 'covered', owner, fence: 0, remainingMs: 0 };
        expect(reply).toEqual({ outcome: 'denied', holder });
      }
    });

    it('is not made where its tick is covered; while one of the same tick goes on, its lock denies', async () => {
      await ask(steer(1, 0, '', 5000));
      expect(await ask(acquire('t', job('catch-up', 5000)))).toMatchObject([
        { outcome: 'denied', holder: { token: 'covered', owner: '' } },
      ]);
      const note = job('catch-up', 6000);
      expect(
        await ask(acquire('t', note), acquire('t', note), acquire('u', note), acquire('u', job('schedule', 7000))),
      ).toMatchObject([
        { outcome: 'granted' },
        { outcome: 'granted' },
        { outcome: 'denied', holder: { key: 'k', token: 't' } },
        { outcome: 'denied', holder: { key: 'k', token: 't' } },
      ]);
    });

    it('is not made where one of the same tick has lost its lock without an end', async () => {
      const claims = [{ key: 'k', ttlMs: 50 }];
      await ask(acquire('t', job('catch-up', 6000), { claims }));
      await subject().pass(100);
      expect(await ask(acquire('u', job('catch-up', 6000)))).toMatchObject([
        { outcome: 'denied', holder: { token: 'covered', owner: 'host of t:1' } },
      ]);
    });

    it('changes nothing where it is denied', async () => {
      await run('t', job('schedule', 5000));
      const before = await shown();
      await ask(acquire('u', job('catch-up', 3000)));
      expect(await shown()).toEqual(before);
      expect(await ask(read())).toMatchObject([{ holder: undefined }]);
    });
  });

  describe('a run that is made again', () => {
    const again = job('again', 1000);
    const died = async (): Promise<void> => {
      await ask(
        acquire('t', job(), {
          claims: [
            { key: 'k', ttlMs: 50 },
            { key: '{k}:tick:1000', ttlMs: 60_000 },
          ],
        }),
      );
      await subject().pass(100);
    };

    it('takes the tick from the first run, under a higher number, once the lock of that is over', async () => {
      const [first] = await ask(acquire('t'));
      const { fence } = first as { fence: number };
      expect(await ask(acquire('u', again))).toMatchObject([{ outcome: 'denied', holder: { key: 'k', token: 't' } }]);
      await ask({ ...release('t', job()), job: undefined });
      const [second] = await ask(acquire('u', again));
      expect(second).toEqual({ outcome: 'granted', fence: fence + 1, pauseVersion: 0 });
      const inspect = {
        kind: 'inspect',
        token: '-',
        owner: 'o',
        claims: [{ key: '{k}:tick:1000', ttlMs: 0 }],
      } as const;
      expect(await ask(inspect)).toMatchObject([{ outcome: 'seen', holder: { token: 'u', fence: fence + 1 } }]);
      expect((await shown()).runs).toMatchObject([
        { token: 'u', trigger: 'again', tickMs: 1000 },
        { token: 't', trigger: 'schedule', tickMs: 1000 },
      ]);
    });

    it('is not made a second time, and is made where the attempt before was undone', async () => {
      await died();
      expect(await ask(acquire('u', again), undo('u', again))).toMatchObject([{ outcome: 'granted' }, {}]);
      expect(await ask(acquire('v', again), release('v', { ...again, end: ended('lost') }))).toMatchObject([
        { outcome: 'granted' },
        {},
      ]);
      expect(await ask(acquire('w', again))).toMatchObject([
        { outcome: 'denied', holder: { key: '{k}:tick:1000', token: 'covered', owner: 'host of v:1' } },
      ]);
    });

    it('is not made while one goes on, whose lock denies, but by that one', async () => {
      await died();
      expect(await ask(acquire('u', again), acquire('u', again), acquire('v', again))).toMatchObject([
        { outcome: 'granted' },
        { outcome: 'granted' },
        { outcome: 'denied', holder: { key: 'k', token: 'u' } },
      ]);
    });

    it.each<RunEnd['outcome']>(['succeeded', 'failed', 'lost'])('is not made of one that has %s', async (outcome) => {
      await ask(acquire('t'), release('t', job('schedule', 1000, ended(outcome))));
      expect(await ask(acquire('u', again))).toMatchObject([{ outcome: 'denied', holder: { token: 'covered' } }]);
      expect(await ask(acquire('u', job('again', 2000)))).toMatchObject([{ outcome: 'granted' }]);
    });

    it('takes no key of the lock itself from another holder, also where there is no claim of a tick', async () => {
      const claims = [{ key: 'k', ttlMs: 5000 }];
      await ask(acquire('t', job(), { claims }));
      expect(await ask(acquire('u', again, { claims }))).toMatchObject([
        { outcome: 'denied', holder: { key: 'k', token: 't' } },
      ]);
    });
  });
}

/** A server whose keys a test can see and keep from being written. */
export interface RegisterSubject extends HostileSubject {
  /** Milliseconds until the key expires. */
  ttlOf(key: string): Promise<number>;
}

/** What a server does about a register that another program has written, and for how long it remembers one. */
export function hostileRegisterContract(subject: () => RegisterSubject): void {
  const ask = (...requests: NodeRequest[]): Promise<readonly NodeReply[]> => subject().ask(requests);
  const shown = async (): Promise<Register> => {
    const [reply] = await ask(read());
    return parseRegister((reply as { register: string }).register);
  };
  const line = 't 1 s 1000 1005 0 r host -';
  beforeEach(() => subject().flush());

  it('P7: a register that is no string fails each request for it by name, but for the release of the lock', async () => {
    await ask({ ...acquire('t'), job: undefined });
    await subject().write('{k}:job', { list: '0 - 0 -\n' });
    const failure = { outcome: 'failed', reason: 'refused' };
    for (const request of [acquire('u'), steer(1, 5), read()]) {
      const [reply] = await ask(request);
      expect(reply).toMatchObject(failure);
      expect((reply as { cause: Error }).cause.message).toMatch(
        /^the register of its job, "{k}:job", .*delete that key/,
      );
    }
    expect(await ask(release('t', job('schedule', 1000, ended('succeeded'))))).toEqual([
      { outcome: 'released', heard: 0, gone: false },
    ]);
    await subject().write('{k}:job', '');
    expect(await ask(acquire('u', job('schedule', 2000)))).toMatchObject([{ outcome: 'granted' }]);
  });

  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['text', 'paused'],
    ['no end of the header', '1 * 0 -'],
    ['a version that is none', `1e3 * 0 -\n${line}\n`],
    ['a version above the limit', `9000000000000000 * 0 -\n${line}\n`],
    ['an end of the pause that is none', `1 *1 0 -\n${line}\n`],
    ['an end of the pause of 400 digits', `1 ${'9'.repeat(400)} 0 -\n${line}\n`],
    ['a negative tick', `1 * -5 -\n${line}\n`],
    ['no reason', `1 * 0 \n${line}\n`],
    ['a reason of 10 KB', `1 * 0 ${'x'.repeat(10_000)}\n${line}\n`],
    ['bytes that are not text', Buffer.from([0xff, 0x00, 0x0a, 0x31, 0x0a])],
    ['30 MB', 'x'.repeat(30 * 1024 * 1024)],
    ['line breaks alone', '\n'.repeat(16_384)],
  ])('P7: a register with %s is an empty one, and is overwritten by the next run', async (_, text) => {
    await subject().write('{k}:job', text);
    expect(await shown()).toMatchObject({ version: 0, until: undefined, coveredMs: 0, runs: [] });
    expect(subject().replied()).toBeLessThan(110_000);
    expect(await ask(acquire('u', job('catch-up', 500)))).toMatchObject([{ outcome: 'granted', pauseVersion: 0 }]);
    expect(await shown()).toMatchObject({ version: 0, runs: [{ token: 'u' }] });
    expect(await subject().ttlOf('{k}:job')).toBeGreaterThan(29 * DAY_MS);
  });

  it.each<[string, string]>([
    ['words without a meaning', 'a b c'],
    ['another letter for the trigger', 'u 1 x 1000 1005 0 r host -'],
    ['another letter for the outcome', 'u 1 s 1000 1005 0 x host -'],
    ['a tick above the limit', 'u 1 s 9000000000000000 1005 0 r host -'],
    ['one word too many', `${line.replace('t', 'u')} -`],
    ['two spaces', line.replace('t ', 'u  ')],
    ['a line of 10 KB', `u 1 s 5000 1005 0 r ${'x'.repeat(10_000)} -`],
    ['nothing', ''],
  ])('P7: a line with %s is no run, and the others are', async (_, bad) => {
    await subject().write('{k}:job', `3 - 700 why%not\n${bad}\n${line}\n`);
    const { runs, ...header } = await shown();
    expect(header).toEqual({ version: 3, until: undefined, coveredMs: 700, reason: 'why%not' });
    expect(runs).toMatchObject([{ token: 't', owner: 'host' }]);
    expect(await ask(acquire('v', job('catch-up', 5000)))).toMatchObject([{ outcome: 'granted', pauseVersion: 3 }]);
    expect((await shown()).runs).toMatchObject([{ token: 'v' }, { token: 't' }]);
  });

  it('P7: only the first twenty lines of a register are read, and one token is there once', async () => {
    await subject().write('{k}:job', `0 - 0 -\n${`${line}\n`.repeat(500)}`);
    await ask(release('t', job('schedule', 1000, ended('succeeded'))));
    expect((await shown()).runs).toMatchObject([{ token: 't', outcome: 'succeeded' }]);
    const others = Array.from({ length: 200 }, (_, n) => `${line.replace('t', `t${n}`)}\n`);
    await subject().write('{k}:job', `0 - 0 -\n${others.join('')}`);
    await ask(acquire('u'));
    const [reply] = await ask(read());
    expect((reply as { register: string }).register.split('\n')).toHaveLength(1 + 20 + 1);
  });

  it('a pause that was over long ago is none, and shortens nothing', async () => {
    await subject().write('{k}:job', '4 1 0 -\n');
    expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'granted', pauseVersion: 4 }]);
    expect(await shown()).toMatchObject({ version: 4, runs: [{ token: 't' }] });
    expect(await subject().ttlOf('{k}:job')).toBeGreaterThan(29 * DAY_MS);
  });

  it('a register is forgotten 30 days after it was written last, or after the end of the pause, and never while it is paused without an end', async () => {
    const lives = async (): Promise<number> => {
      const ttlMs = await subject().ttlOf('{k}:job');
      return ttlMs === -1 ? Infinity : Math.round(ttlMs / 1000);
    };
    const day = DAY_MS / 1000;
    await ask(acquire('t'));
    expect(await lives()).toBe(30 * day);
    await ask(steer(1, 5 * DAY_MS));
    expect(await lives()).toBe(35 * day);
    await ask(release('t', job('schedule', 1000, ended('succeeded'))));
    expect(await lives()).toBe(35 * day);
    await ask(steer(2, 1000 * DAY_MS));
    expect(await lives()).toBe(1030 * day);
    await ask(steer(3, Infinity));
    expect(await lives()).toBe(Infinity);
    await ask(acquire('u'));
    expect(await lives()).toBe(Infinity);
    await ask(steer(4, 0));
    expect(await lives()).toBe(30 * day);
  });

  it('a job that is paused for a time is remembered for as long again with each tick', async () => {
    await ask(steer(1, 5 * DAY_MS));
    await ask(acquire('t'));
    expect(await subject().ttlOf('{k}:job')).toBeGreaterThan(34 * DAY_MS);
  });
}

/** A real server, of which a test can use any command. */
export interface RealSubject extends Subject {
  command(name: string, ...words: string[]): Promise<unknown>;
}

/** What is left of a request where the server takes no write because it is full. */
export function fullServerContract(subject: () => RealSubject): void {
  const ask = (...requests: NodeRequest[]): Promise<readonly NodeReply[]> => subject().ask(requests);
  const fill = (isFull: boolean): Promise<unknown> =>
    subject().command('CONFIG', 'SET', 'maxmemory', isFull ? '1' : '0');
  const refused = { outcome: 'failed', reason: 'refused', cause: { message: expect.stringContaining('OOM') } };
  const note = job('schedule', 1000, ended('succeeded'));
  beforeEach(() => subject().flush());
  afterEach(() => fill(false));

  it('a full server grants no run and takes no pause, and nothing of either is left', async () => {
    await fill(true);
    expect(await ask(acquire('t'), steer(1, 5000), read())).toMatchObject([refused, refused, { register: '' }]);
    expect(await subject().command('DBSIZE')).toBe(0);
    await fill(false);
    await ask(acquire('t'));
    const before = await ask(read());
    await fill(true);
    expect(await ask(acquire('t'), acquire('u', job('manual', 0)))).toMatchObject([refused, { outcome: 'denied' }]);
    expect((await ask(read()))[0]).toMatchObject({ register: (before[0] as { register: string }).register });
  });

  it('a full server denies what is paused, and releases a lock whatever becomes of the register', async () => {
    await ask(acquire('t'), steer(1, Infinity, 'why'));
    await fill(true);
    expect(await ask(acquire('u'))).toMatchObject([{ outcome: 'denied', holder: { token: 'paused', owner: 'why' } }]);
    expect(await ask(release('t', note), release('v', note))).toEqual([
      { outcome: 'released', heard: 0, gone: false },
      { outcome: 'released', heard: 0, gone: true },
    ]);
    const [reply] = await ask(read());
    expect(reply).toMatchObject({ holder: undefined });
    expect(parseRegister((reply as { register: string }).register)).toMatchObject({ version: 1, until: 'open' });
  });
}
