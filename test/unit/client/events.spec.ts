import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventSource } from '../../../lib/client/event-source.js';
import { EVENT_NAMES, type RedlockEvent } from '../../../lib/client/events.js';
import { calledBy } from '../../../lib/client/options/acquire-options.js';
import type { RunTrigger } from '../../../lib/core/ports/job-note.js';
import { modelWorld } from '../../support/model-service.js';

beforeAll(() => {
  Logger.overrideLogger(false);
});
afterAll(() => {
  Logger.overrideLogger(new ConsoleLogger());
});

const done = (): Promise<string> => Promise.resolve('done');

/** A service, and all that it emits. */
function listening(options = {}, servers = 3) {
  const world = modelWorld(servers);
  const service = world.serve({ owner: 'here', ...options });
  const events: RedlockEvent[] = [];
  for (const name of EVENT_NAMES) service.client.events.on(name, (event) => events.push(event));
  const taken = (): Partial<RedlockEvent>[] =>
    events.splice(0).map(({ at, ...event }) => (expect(at).toBeInstanceOf(Date), event));
  return { world, service, taken };
}

describe('the events of a lock', () => {
  it('acquired and released, with how long it was waited for and held', async () => {
    const { world, service, taken } = listening();
    const { value: lock } = await world.clock.settle(service.acquire('a', '10s'));
    const about = { keys: ['a'], owner: 'here' };
    const fencingToken = lock!.fencingToken;
    expect(taken()).toEqual([
      { type: 'acquired', ...about, fencingToken, waitedMs: expect.any(Number), ttlMs: 10_000 },
    ]);
    await world.clock.advance(1000);
    await world.clock.settle(lock!.release());
    const [released, ...others] = taken() as RedlockEvent<'released'>[];
    expect(others).toEqual([]);
    expect(released).toEqual({ type: 'released', ...about, fencingToken, heldMs: expect.any(Number) });
    expect(released!.heldMs).toBeGreaterThanOrEqual(1000);
    expect(released!.heldMs).toBeLessThan(1100);
  });

  it('extended, each time that a majority has confirmed it', async () => {
    const { world, service, taken } = listening();
    const { value: lock } = await world.clock.settle(service.acquire('a', '9s'));
    taken();
    await world.clock.settle(lock!.extend('30s'));
    const [extended] = taken() as RedlockEvent<'extended'>[];
    expect(extended).toMatchObject({ type: 'extended', keys: ['a'], fencingToken: lock!.fencingToken });
    expect(extended!.remainingMs).toBeGreaterThan(29_000);
  });

  it('lost, with the reason, and not released', async () => {
    const { world, service, taken } = listening();
    const { value: lock } = await world.clock.settle(service.acquire('a', '1s'));
    taken();
    await world.clock.advance(1100);
    expect(lock!.isHeld()).toBe(false);
    expect(taken()).toMatchObject([{ type: 'lost', keys: ['a'], reason: 'expired', hadWork: false, votes: [] }]);
    await world.clock.settle(lock!.release());
    expect(taken()).toEqual([]);
  });

  it('contended, with the holder and the reason; skipped where its work is left out', async () => {
    const { world, service, taken } = listening();
    await world.clock.settle(world.serve({ owner: 'other' }).acquire('a', '1m'));
    await world.clock.settle(service.withLock('a', '1s', done, { wait: 0 }));
    const contended = { type: 'contended', keys: ['a'], reason: 'locked', holder: 'other', owner: 'here' };
    expect(taken()).toMatchObject([{ ...contended, votes: [{ outcome: 'denied' }, { outcome: 'denied' }, {}] }]);
    await world.clock.settle(service.withLock('a', '1s', done, { wait: 0, onContended: 'skip' }));
    expect(taken()).toMatchObject([contended, { type: 'skipped', keys: ['a'], reason: 'locked' }]);
  });

  it('a tick that has run is skipped as already run', async () => {
    const { world, service, taken } = listening();
    const options = { wait: 0, onContended: 'skip', tick: new Date(world.clock.wallMs()) } as const;
    expect((await world.clock.settle(world.serve().withLock('a', '1s', done, options))).value).toBe('done');
    await world.clock.settle(service.withLock('a', '1s', done, options));
    const tick = options.tick;
    expect(taken()).toMatchObject([
      { type: 'contended', reason: 'already-ran', tick },
      { type: 'skipped', reason: 'already-ran', tick },
    ]);
  });

  it('P8: of a tick as it is now, also where the options around it are frozen', async () => {
    const { world, service } = listening();
    const tick = { atMs: world.clock.wallMs(), periodMs: 1000 };
    const options = Object.freeze({ wait: 0, onContended: 'skip', tick } as const);
    const ran = async (): Promise<unknown> =>
      (await world.clock.settle(service.withLock('a', '1s', done, options))).value;
    expect([await ran(), await ran()]).toEqual(['done', undefined]);
    tick.atMs += 1000;
    expect(await ran()).toBe('done');
  });

  it('unreachable, with a vote of each server', async () => {
    const { world, service, taken } = listening();
    for (const node of world.nodes.slice(0, 2)) node.disconnect();
    const { error } = await world.clock.settle(service.withLock('a', '1s', done, { wait: 0, onContended: 'skip' }));
    expect(error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    const [unreachable, skipped] = taken();
    expect(unreachable).toMatchObject({ type: 'unreachable', keys: ['a'], owner: 'here' });
    expect((unreachable as RedlockEvent<'unreachable'>).votes).toHaveLength(3);
    expect(skipped).toMatchObject({ type: 'skipped', reason: 'unreachable' });
  });

  it.each<[RunTrigger, string[]]>([
    ['schedule', ['unreachable', 'skipped']],
    ['manual', ['unreachable']],
  ])(
    'P8: unreachable, of a method that throws where its lock is held; called by %s it is %j',
    async (trigger, types) => {
      const { world, service, taken } = listening();
      for (const node of world.nodes.slice(0, 2)) node.disconnect();
      const tick = { atMs: world.clock.wallMs(), periodMs: 1000 };
      const options = { wait: 0, onContended: 'throw', ...(trigger === 'schedule' && { tick }) } as const;
      const call = service.withLock('a', '1s', done, calledBy({ method: 'Jobs.send', job: 'a', trigger }, options));
      expect((await world.clock.settle(call)).error).toMatchObject({ code: 'QUORUM_UNREACHABLE' });
      expect(taken().map(({ type }) => type)).toEqual(types);
    },
  );

  it('skipped, because the application closes', async () => {
    const { world, service, taken } = listening();
    await world.clock.settle(world.serve().acquire('a', '1m'));
    const waiting = service.withLock('a', '1s', done, { wait: '1m', onContended: 'skip' });
    await world.clock.advance(100);
    await world.clock.settle(Promise.all([service.onApplicationShutdown(), waiting]));
    expect(taken().filter(({ type }) => type === 'skipped')).toMatchObject([{ reason: 'closing' }]);
  });
});

describe('a source of events', () => {
  const WARNING = { code: 'c', level: 'warn', message: 'm' } as const;

  it('makes no event that is not heard', () => {
    const source = new EventSource();
    let made = 0;
    const details = {
      get code() {
        made++;
        return 'c';
      },
      level: 'warn',
      message: 'm',
    } as const;
    expect(source.isHeard('warning')).toBe(false);
    source.emit('warning', details);
    expect(made).toBe(0);
    const cancel = source.on('warning', () => undefined);
    expect(source.isHeard('warning')).toBe(true);
    source.emit('warning', details);
    expect(made).toBe(1);
    cancel();
    cancel();
    expect(source.isHeard('warning')).toBe(false);
  });

  it('is on a channel of Node, too, with the name of the instance', () => {
    const heard: unknown[] = [];
    const listener = (event: unknown): void => void heard.push(event);
    subscribe('redlock:warning', listener);
    try {
      new EventSource('second').emit('warning', WARNING);
    } finally {
      unsubscribe('redlock:warning', listener);
    }
    expect(heard).toEqual([{ type: 'warning', instance: 'second', at: expect.any(Date), ...WARNING }]);
  });

  it('is heard by the parent, which hears of all', () => {
    const parent = new EventSource();
    const heard: unknown[] = [];
    parent.on('warning', ({ instance }) => heard.push(instance));
    new EventSource(undefined, parent).emit('warning', WARNING);
    new EventSource('second', parent).emit('warning', WARNING);
    expect(heard).toEqual([undefined, 'second']);
  });

  it('P17: a listener that throws or rejects harms nothing, and is reported once for each event', async () => {
    const source = new EventSource();
    const heard: string[] = [];
    source.on('warning', ({ code, message }) => heard.push(`${code}: ${message}`));
    source.on('quorumLost', () => {
      throw new Error('thrown');
    });
    source.on('quorumLost', () => Promise.reject(new Error('rejected')));
    source.on('quorumRegained', () => Promise.reject(new Error('rejected')));
    const count = { voting: 1, servers: 3, needed: 2 };
    for (let round = 0; round < 3; round++) source.emit('quorumLost', count);
    source.emit('quorumRegained', { ...count, lostForMs: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    const text = (name: string, why: string): string =>
      `listener-failed: A listener for the event '${name}' has failed. The locks are not affected. ${why}`;
    expect(heard).toEqual([text('quorumLost', 'thrown'), text('quorumRegained', 'rejected')]);
  });
});
