import { afterEach, expect, it } from '@jest/globals';
import type { Claim, LockNode, NodeReply, NodeRequest } from '../../lib/core/ports/lock-node.js';

/** A node, and the little that a test must be able to do to it from outside. */
export interface Subject {
  readonly node: LockNode;
  /** Lets so much time pass for the node. */
  pass(ms: number): Promise<void>;
  /** Forgets everything. */
  flush(): Promise<void>;
  /** Settles with the reply, on virtual time as well. */
  ask(requests: readonly NodeRequest[]): Promise<readonly NodeReply[]>;
}

/** What every lock node does alike: the model of the simulation, and each server and client that is supported. */
export function lockNodeContract(subject: () => Subject): void {
  const cancels: (() => void)[] = [];
  afterEach(() => {
    for (const cancel of cancels.splice(0)) cancel();
  });
  const ask = (...requests: NodeRequest[]): Promise<readonly NodeReply[]> => subject().ask(requests);

  it('grants what is free, and grants it to the same token again for the full ttl', async () => {
    expect(await ask(acquire('t', ['k', 300]), acquire('t', ['k', 5000]))).toMatchObject([
      { outcome: 'granted' },
      { outcome: 'granted' },
    ]);
    await subject().pass(400);
    expect(await ask(acquire('u', ['k', 300]))).toMatchObject([{ outcome: 'denied' }]);
  });

  it('denies what somebody else has, and says who and for how much longer', async () => {
    await ask(acquire('t', ['k', 5000]));
    const [reply] = await ask(acquire('u', ['k', 5000]));
    expect(reply).toMatchObject({ outcome: 'denied', holder: { key: 'k', token: 't', owner: 'owner of t' } });
    const { remainingMs } = (reply as { holder: { remainingMs: number } }).holder;
    expect(remainingMs).toBeGreaterThan(4000);
    expect(remainingMs).toBeLessThanOrEqual(5000);
  });

  it('frees a key when its ttl is over', async () => {
    await ask(acquire('t', ['k', 100]));
    await subject().pass(150);
    expect(await ask(acquire('u', ['k', 100]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('takes several keys or none, each for its own ttl, and names the first that is taken', async () => {
    await ask(acquire('t', ['b', 5000]));
    expect(await ask(acquire('u', ['a', 5000], ['b', 5000], ['c', 5000]))).toMatchObject([
      { outcome: 'denied', holder: { key: 'b', token: 't' } },
    ]);
    expect(await ask(acquire('v', ['a', 5000], ['c', 100]))).toMatchObject([{ outcome: 'granted' }]);
    await subject().pass(150);
    expect(await ask(acquire('w', ['c', 5000]))).toMatchObject([{ outcome: 'granted' }]);
    expect(await ask(acquire('w', ['a', 5000]))).toMatchObject([{ outcome: 'denied' }]);
  });

  it('renews what the token has', async () => {
    // One round trip: however slow this machine is, no ttl passes between the two.
    const [, renewed] = await ask(acquire('t', ['k', 200]), extend('t', ['k', 5000]));
    expect(renewed).toEqual({ outcome: 'renewed' });
    await subject().pass(300);
    expect(await ask(acquire('u', ['k', 200]))).toMatchObject([{ outcome: 'denied' }]);
  });

  it('P12: puts back what is absent, and says that it was', async () => {
    expect(await ask(heal('t', ['k', 5000]))).toEqual([{ outcome: 'absent' }]);
    expect(await ask(heal('t', ['k', 5000]), extend('t', ['k', 5000]))).toEqual([
      { outcome: 'renewed' },
      { outcome: 'renewed' },
    ]);
    expect(await ask(acquire('u', ['k', 200]))).toMatchObject([{ outcome: 'denied', holder: { token: 't' } }]);
  });

  it('P12: an extension puts nothing back, and renews what is there', async () => {
    expect(await ask(extend('t', ['k', 5000]), extend('t', ['k', 5000]))).toEqual([
      { outcome: 'absent' },
      { outcome: 'absent' },
    ]);
    const [, absent] = await ask(acquire('t', ['a', 200]), extend('t', ['a', 5000], ['k', 5000]));
    expect(absent).toEqual({ outcome: 'absent' });
    await subject().pass(300);
    expect(await ask(acquire('u', ['a', 200]), acquire('u', ['k', 5000]))).toMatchObject([
      { outcome: 'denied' },
      { outcome: 'granted' },
    ]);
    expect(await ask(heal('t', ['a', 200], ['k', 5000]))).toMatchObject([{ outcome: 'taken', holder: { token: 'u' } }]);
  });

  it('extends nothing where one key is taken by another', async () => {
    await ask(acquire('t', ['a', 200], ['b', 200]));
    await subject().pass(250);
    await ask(acquire('u', ['b', 5000]));
    expect(await ask(extend('t', ['a', 5000], ['b', 5000]))).toMatchObject([
      { outcome: 'taken', holder: { key: 'b', token: 'u', owner: 'owner of u' } },
    ]);
    expect(await ask(acquire('v', ['a', 200]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('removes the lock that is named, and no other', async () => {
    await ask(acquire('t', ['k', 5000]));
    expect(await ask(remove('u', 'k'), remove('', 'k'))).toEqual([{ outcome: 'absent' }, { outcome: 'absent' }]);
    expect(await ask(acquire('u', ['k', 5000]))).toMatchObject([{ outcome: 'denied', holder: { token: 't' } }]);
    expect(await ask(remove('t', 'k'))).toMatchObject([{ outcome: 'released' }]);
    expect(await ask(remove('t', 'k'), acquire('u', ['k', 5000]))).toMatchObject([
      { outcome: 'absent' },
      { outcome: 'granted' },
    ]);
  });

  it('releases what the token has, and leaves what others have', async () => {
    await ask(acquire('t', ['a', 5000], ['b', 5000]), acquire('u', ['c', 5000]));
    expect(await ask(release('t', ['a', 0], ['b', 0], ['c', 0]))).toMatchObject([{ outcome: 'released', heard: 0 }]);
    expect(await ask(acquire('v', ['a', 100], ['b', 100]))).toMatchObject([{ outcome: 'granted' }]);
    expect(await ask(acquire('v', ['c', 100]))).toMatchObject([{ outcome: 'denied', holder: { token: 'u' } }]);
  });

  it('P10: says with a release whether a key was gone, or somebody else had it', async () => {
    await ask(acquire('t', ['a', 5000], ['b', 5000]), acquire('u', ['c', 5000]));
    const replies = await ask(release('t', ['a', 0], ['b', 0]), release('t', ['a', 0]), release('t', ['c', 0]));
    expect(replies).toEqual([
      { outcome: 'released', heard: 0, gone: false },
      { outcome: 'released', heard: 0, gone: true },
      { outcome: 'released', heard: 0, gone: true },
    ]);
    await ask(acquire('t', ['a', 5000]));
    expect(await ask(release('t', ['a', 0], ['c', 0]))).toEqual([{ outcome: 'released', heard: 0, gone: true }]);
  });

  it('minHold: leaves a released key for as long as it is told', async () => {
    await ask(acquire('t', ['k', 5000]));
    const [released, denied] = await ask(release('t', ['k', 200]), acquire('u', ['k', 100]));
    expect(released).toEqual({ outcome: 'released', heard: 0, gone: false });
    expect(denied).toMatchObject({ outcome: 'denied' });
    await subject().pass(250);
    expect(await ask(acquire('u', ['k', 100]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('carries out many requests in one trip, in order, one reply for each', async () => {
    const replies = await ask(
      acquire('t', ['k', 5000]),
      acquire('u', ['k', 5000]),
      release('t', ['k', 0]),
      acquire('u', ['k', 5000]),
      extend('u', ['k', 5000]),
      extend('u', ['new', 5000]),
    );
    expect(replies.map(({ outcome }) => outcome)).toEqual([
      'granted',
      'denied',
      'released',
      'granted',
      'renewed',
      'absent',
    ]);
  });

  it('carries out calls in the order in which they were made', async () => {
    const replies = await Promise.all([
      ask(acquire('t', ['k', 5000])),
      ask(release('t', ['k', 0])),
      ask(acquire('u', ['k', 5000])),
    ]);
    expect(replies.map(([reply]) => reply?.outcome)).toEqual(['granted', 'released', 'granted']);
  });

  it('copes with keys and owners of any characters', async () => {
    const key = 'späte Rechnung {42} \u0000 "x" \n';
    await ask({ kind: 'acquire', token: 't', owner: 'host name: 1 % Ω', claims: [{ key, ttlMs: 5000 }] });
    expect(await ask(acquire('u', [key, 100]))).toMatchObject([
      { holder: { key, token: 't', owner: 'host name: 1 % Ω' } },
    ]);
  });

  it('P2: counts the grants of a key, and grants again under the number that was granted', async () => {
    const [first, second, third] = [
      await grant('t', 'k'),
      await ask(release('t', ['k', 0])).then(() => grant('u', 'k')),
      await grant('u', 'k'),
    ];
    expect(second).toBe(first + 1);
    expect(third).toBe(second);
    expect(await ask(acquire('t', ['no counter', 5000]))).toEqual([{ outcome: 'granted', fence: 0 }]);
  });

  it('P2: gives several keys one number, above the counters of all of them', async () => {
    for (const token of ['1', '2', '3']) await grant(token, 'a').then(() => ask(release(token, ['a', 0])));
    const [a, b] = [await grant('t', 'a'), await grant('t', 'b')];
    await ask(release('t', ['a', 0], ['b', 0]));
    const both = await grant('u', 'a', 'b');
    expect(both).toBe(Math.max(a, b) + 1);
    await ask(release('u', ['a', 0], ['b', 0]));
    expect([await grant('v', 'a'), await grant('v', 'b')]).toEqual([both + 1, both + 1]);
  });

  it('P2: confirms a fencing token where the grant is still there, and nowhere else', async () => {
    const number = await grant('t', 'k');
    const confirm = (token: string, grantedFence: number): NodeRequest => ({
      ...counted('confirm', token, 'k'),
      fence: number + 100,
      grantedFence,
    });
    expect(await ask(confirm('u', number))).toEqual([{ outcome: 'absent' }]);
    expect(await ask(confirm('t', number - 1))).toEqual([{ outcome: 'absent' }]);
    expect(await ask(confirm('t', number))).toEqual([{ outcome: 'confirmed' }]);
    await ask(release('t', ['k', 0]));
    expect(await grant('u', 'k')).toBe(number + 101);
    expect(await ask({ ...counted('confirm', 'u', 'k'), fence: 1, grantedFence: number + 101 })).toEqual([
      { outcome: 'confirmed' },
    ]);
    await ask(release('u', ['k', 0]));
    expect(await grant('v', 'k')).toBe(number + 102);
  });

  it('P2: what is put back counts on from the fencing token of its lock', async () => {
    const number = await grant('t', 'k');
    await subject().flush();
    expect(await ask({ ...counted('heal', 't', 'k'), fence: number + 50 })).toEqual([{ outcome: 'absent' }]);
    expect(await grant('t', 'k')).toBe(number + 50);
    await ask(release('t', ['k', 0]));
    expect(await grant('u', 'k')).toBe(number + 51);
  });

  it('P2: a counter that was lost does not begin below what it had reached, nor below what the request says', async () => {
    const number = await grant('t', 'k');
    await subject().flush();
    // A process begins no counter below the highest token that it has had.
    const [again] = await ask({ ...counted('acquire', 'u', 'k'), fenceStart: number });
    expect(again).toMatchObject({ outcome: 'granted' });
    expect((again as { fence: number }).fence).toBeGreaterThan(number);
    const start = 8_000_000_000_000_000;
    expect(await ask({ ...counted('acquire', 'v', 'l'), fenceStart: start })).toEqual([
      { outcome: 'granted', fence: start + 1 },
    ]);
  });

  it('P2: a counter that is there counts on, wherever the request would begin', async () => {
    const number = await grant('t', 'k');
    await ask(release('t', ['k', 0]));
    const asked = { ...counted('acquire', 'u', 'k'), fenceStart: number + 1000 };
    expect(await ask(asked)).toEqual([{ outcome: 'granted', fence: number + 1 }]);
  });

  it('P18: a counter is gone after its retention, never before its lock, and lives on with an extension', async () => {
    const start = 8_000_000_000_000_000;
    const kept = (kind: NodeRequest['kind'], token: string, ttlMs: number, retentionMs: number): NodeRequest => ({
      ...counted(kind, token, 'k'),
      fenceStart: start,
      claims: [{ key: 'k', ttlMs, counter: '{k}:fence', retentionMs }],
    });
    expect(await ask(kept('acquire', 't', 50, 1500))).toEqual([{ outcome: 'granted', fence: start + 1 }]);
    await ask(release('t', ['k', 0]));
    await subject().pass(150);
    expect(await ask(kept('acquire', 'u', 50, 1500))).toEqual([{ outcome: 'granted', fence: start + 2 }]);
    await subject().pass(1600);
    const [anew] = await ask(kept('acquire', 'v', 400, 1), kept('extend', 'v', 600, 1));
    expect(anew).toEqual({ outcome: 'granted', fence: start + 1 });
    await subject().pass(800);
    expect(await ask(kept('acquire', 'w', 200, 1))).toEqual([{ outcome: 'granted', fence: start + 2 }]);
  });

  it('P12: knows nothing any more after it was flushed', async () => {
    await ask(acquire('t', ['k', 5000]));
    await subject().flush();
    expect(await ask(acquire('u', ['k', 5000]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('P14: tells those who listen that a key was given back, and how many they are', async () => {
    const [one, other, elsewhere] = [await listen('c'), await listen('c'), await listen('d')];
    await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])));
    expect(await ask(telling(release('t', ['k', 0]), 'c'))).toEqual([
      { outcome: 'released', heard: expect.any(Number), gone: false },
    ]);
    await one.hears(1);
    await other.hears(1);
    expect(one.told).toEqual(other.told);
    expect(elsewhere.told).toEqual([]);
  });

  it('P14: tells nobody of what was not given back, or without a channel', async () => {
    const listener = await listen('c');
    const u = waiting(acquire('u', ['k', 5000]));
    await ask(acquire('t', ['k', 5000]), telling(u, 'c'), telling(release('u', ['k', 0]), 'c'));
    await ask(release('t', ['k', 0]), telling(remove('t', 'k'), 'c'));
    await ask(acquire('t', ['k', 5000]), u, telling(remove('u', 'k'), 'c'), telling(remove('t', 'k'), 'c'));
    await listener.hears(1);
  });

  it('P14: tells that a key is given back later, and again when it is put back or extended for less', async () => {
    const listener = await listen('c');
    await ask(acquire('t', ['k', 60_000]), waiting(acquire('u', ['k', 5000])));
    await ask(telling(release('t', ['k', 40_000]), 'c'));
    await listener.hears(1);
    await ask(telling(extend('t', ['k', 30_000]), 'c'), extend('t', ['k', 20_000]));
    await listener.hears(2);
    await ask(telling(heal('t', ['k', 10_000]), 'c'), telling(release('t', ['k', 0]), 'c'));
    await listener.hears(4);
  });

  it('P14: tells of an extension where it is asked to, and of what it is only asked to tell', async () => {
    const listener = await listen('c');
    await ask(acquire('t', ['k', 60_000]), waiting(acquire('u', ['k', 1000])), extend('t', ['k', 60_000]));
    await ask(telling(extend('t', ['k', 1000]), 'c'));
    await listener.hears(1);
    expect(await ask(telling(make('tell', '-', [['k', 0]]), 'c'))).toEqual([{ outcome: 'told' }]);
    await listener.hears(2);
    expect(await ask(acquire('u', ['k', 1000]))).toMatchObject([{ outcome: 'denied' }]);
  });

  it('P14: tells nobody who has stopped listening, and those who listen again', async () => {
    const listener = await listen('c');
    listener.cancel();
    const again = await listen('c');
    await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), telling(release('t', ['k', 0]), 'c'));
    await again.hears(1);
    expect(listener.told).toEqual([]);
  });

  it('P14: tells nobody of a lock that no waiter was denied: not of one that asked once, nor of the lock before', async () => {
    const listener = await listen('c');
    const nobody = { outcome: 'released', heard: 0, gone: false };
    await ask(acquire('t', ['k', 5000]), acquire('u', ['k', 5000]), extend('t', ['k', 60_000]));
    await ask(telling(extend('t', ['k', 5000]), 'c'));
    expect(await ask(telling(release('t', ['k', 100]), 'c'), telling(release('t', ['k', 0]), 'c'))).toEqual([
      nobody,
      nobody,
    ]);
    await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), release('t', ['k', 0]));
    await ask(acquire('v', ['k', 5000]));
    expect(await ask(telling(release('v', ['k', 0]), 'c'))).toEqual([nobody]);
    await ask(waiting(acquire('t', ['k', 5000])), waiting(acquire('t', ['k', 5000])));
    expect(await ask(telling(remove('t', 'k'), 'c'))).toMatchObject([{ outcome: 'released', heard: 0 }]);
    await listener.hears(0);
  });

  it('P14: a waiter leaves nothing that can be seen, however often it is denied, and prolongs nothing', async () => {
    await ask(acquire('t', ['k', 300]));
    const u = waiting(acquire('u', ['k', 5000]));
    const seen = [
      await ask(u),
      await ask(u),
      await ask(make('inspect', '-', [['k', 0]])),
      await ask(acquire('t', ['k', 300])),
    ];
    for (const [reply] of seen.slice(0, 3)) {
      expect(reply).toMatchObject({ holder: { token: 't', owner: 'owner of t', fence: 0 } });
    }
    expect(seen[3]).toEqual([{ outcome: 'granted', fence: 0 }]);
    await ask(u);
    await subject().pass(350);
    expect(await ask(acquire('v', ['k', 100]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('P14: tells of the one of several keys for which a waiter was denied', async () => {
    const [a, b] = [await listen('a'), await listen('b')];
    await ask(acquire('t', ['a', 5000], ['b', 5000]), waiting(acquire('u', ['x', 5000], ['b', 5000])));
    const claims = ['a', 'b'].map((key) => ({ key, ttlMs: 0, channel: key }));
    expect(await ask({ ...release('t'), claims })).toMatchObject([{ outcome: 'released', gone: false }]);
    await b.hears(1);
    await a.hears(0);
    // What was denied has taken nothing.
    expect(await ask(acquire('v', ['x', 5000]))).toMatchObject([{ outcome: 'granted' }]);
  });

  it('P14: still tells where the lock was granted again to its token meanwhile, alone or with another key', async () => {
    const listener = await listen('c');
    for (const again of [acquire('t', ['k', 5000]), acquire('t', ['k', 5000], ['l', 5000])]) {
      await ask(acquire('t', ['k', 5000]), waiting(acquire('u', ['k', 5000])), again);
      await ask(telling(release('t', ['k', 0]), 'c'), release('t', ['l', 0]));
    }
    await listener.hears(2);
  });

  it('P14: tells of one that has waited itself, and of one that was put back: who listens may have been denied before', async () => {
    const listener = await listen('c');
    await ask({ ...acquire('t', ['k', 5000]), waited: true }, telling(release('t', ['k', 0]), 'c'));
    await listener.hears(1);
    await ask({ ...acquire('t', ['k', 5000], ['l', 5000]), waited: true });
    await ask(telling(release('t', ['k', 0]), 'c'), release('t', ['l', 0]));
    await listener.hears(2);
    await ask(heal('t', ['k', 5000]), telling(release('t', ['k', 0]), 'c'));
    await listener.hears(3);
  });

  interface Ear {
    readonly told: number[];
    hears(times: number): Promise<void>;
    cancel(): void;
  }

  async function listen(channel: string): Promise<Ear> {
    const told: number[] = [];
    let isHearing = false;
    const cancel = subject().node.listen(channel, {
      onHearing: (hears) => (isHearing = hears),
      onReleased: (count) => told.push(count),
    });
    cancels.push(cancel);
    await until(() => isHearing);
    return {
      told,
      cancel,
      hears: async (times) => {
        await until(() => told.length >= times);
        await subject().pass(20);
        expect(told).toHaveLength(times);
      },
    };
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let tries = 0; !condition(); tries++) {
      if (tries > 500) throw new Error('It has not come in time.');
      await subject().pass(10);
    }
  }

  async function grant(token: string, ...keys: string[]): Promise<number> {
    const [reply] = await ask(counted('acquire', token, ...keys));
    if (reply?.outcome !== 'granted') throw new Error(`Not granted: ${JSON.stringify(reply)}`);
    return reply.fence;
  }
}

type Pair = readonly [key: string, ttlMs: number];

const acquire = (token: string, ...pairs: Pair[]): NodeRequest => make('acquire', token, pairs);
const extend = (token: string, ...pairs: Pair[]): NodeRequest => make('extend', token, pairs);
const heal = (token: string, ...pairs: Pair[]): NodeRequest => make('heal', token, pairs);
const release = (token: string, ...pairs: Pair[]): NodeRequest => make('release', token, pairs);

const remove = (token: string, key: string): NodeRequest => make('remove', token, [[key, 0]]);
const telling = (request: NodeRequest, channel: string): NodeRequest => ({
  ...request,
  claims: request.claims.map((claim) => ({ ...claim, channel })),
});

/** If it is denied it listens. */
const waiting = (request: NodeRequest): NodeRequest => ({ ...request, waits: true });

function make(kind: NodeRequest['kind'], token: string, pairs: readonly Pair[]): NodeRequest {
  const claims = pairs.map(([key, ttlMs]): Claim => ({ key, ttlMs }));
  return { kind, token, owner: `owner of ${token}`, claims };
}

function counted(kind: NodeRequest['kind'], token: string, ...keys: string[]): NodeRequest {
  const request = make(
    kind,
    token,
    keys.map((key): Pair => [key, 5000]),
  );
  return { ...request, claims: request.claims.map((claim) => ({ ...claim, counter: `{${claim.key}}:fence` })) };
}
