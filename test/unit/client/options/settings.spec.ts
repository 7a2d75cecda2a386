import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { hostname } from 'node:os';
import { toAcquireSettings, type AcquireSettings } from '../../../../lib/client/options/acquire-options.js';
import { toAcquirePlan } from '../../../../lib/client/options/acquire-plan.js';
import { toSettings, type Settings } from '../../../../lib/client/options/module-options.js';
import type { AcquireOptions, RedlockOptions, WithLockCallOptions } from '../../../../lib/interfaces/index.js';

const settingsOf = (options: RedlockOptions = {}): Settings => toSettings({ servers: 'localhost:1', ...options });

describe('the options of the module', () => {
  /** The table of the README, row by row: the option, its default, another value, and what the algorithm gets of both. */
  it.each<[keyof RedlockOptions, keyof Settings, unknown, unknown, unknown]>([
    ['keyPrefix', 'keyPrefix', 'redlock:', 'mine:', 'mine:'],
    ['ttl', 'ttlMs', 10_000, '3s', 3000],
    ['wait', 'waitMs', 10_000, '3s', 3000],
    ['maxRetries', 'maxRetries', Infinity, 3, 3],
    ['retryDelay', 'retryDelayMs', 50, '20ms', 20],
    ['maxRetryDelay', 'maxRetryDelayMs', 1000, '2s', 2000],
    ['driftFactor', 'driftFactor', 0.01, 0.05, 0.05],
    ['nodeTimeout', 'nodeTimeoutMs', 500, '1s', 1000],
    ['maxConcurrency', 'maxConcurrency', 10, 3, 3],
    ['reconnectDelay', 'reconnectDelayMs', 300, '1s', 1000],
    ['maxReconnectDelay', 'maxReconnectDelayMs', 3000, '9s', 9000],
    ['fencing', 'fencing', true, false, false],
    ['fencingRetention', 'fencingRetentionMs', 3_600_000, '2d', 172_800_000],
    ['restartGuard', 'restartGuard', 'witnessed', 'strict', 'strict'],
    ['restartGuard', 'restartGuard', 'witnessed', 'off', 'off'],
    ['clockTolerance', 'clockToleranceMs', 60_000, '5s', 5000],
    ['shutdownTimeout', 'shutdownTimeoutMs', 10_000, '1m', 60_000],
    ['owner', 'owner', `${hostname()}:${process.pid}`, 'worker 7', 'worker 7'],
  ])('%s', (option, setting, byDefault, given, expected) => {
    expect(settingsOf()[setting]).toBe(byDefault);
    expect(settingsOf({ [option]: undefined })[setting]).toBe(byDefault);
    expect(settingsOf({ [option]: given })[setting]).toBe(expected);
  });

  it('has a test of every one', () => {
    expect(Object.keys(settingsOf()).sort()).toEqual(
      [
        ...['shards', 'sharded', 'keyPrefix', 'ttlMs', 'waitMs', 'maxRetries', 'retryDelayMs', 'maxRetryDelayMs'],
        ...['driftFactor', 'nodeTimeoutMs', 'maxConcurrency', 'reconnectDelayMs', 'maxReconnectDelayMs', 'fencing'],
        ...['fencingRetentionMs', 'restartGuard', 'reentrant'],
        ...['clockToleranceMs', 'shutdownTimeoutMs', 'owner'],
      ].sort(),
    );
  });

  it('a longest delay is not below the first, also by default', () => {
    expect(settingsOf({ retryDelay: '5s' }).maxRetryDelayMs).toBe(5000);
    expect(settingsOf({ reconnectDelay: '5s' }).maxReconnectDelayMs).toBe(5000);
  });

  it.each([
    ['localhost:7001', 'localhost:7001'],
    ['localhost', 'localhost:6379'],
    ['redis://:secret@h:1', 'h:1'],
    ['rediss://user:p%40ss%2Fword%25@h/2', 'h:6379'],
    ['  redis://:secret@h:1', 'h:1'],
    ['redis://:secret@h:1\n', 'h:1'],
  ])('ioredis takes what was taken: %j', (server, name) => {
    const [spec] = settingsOfServer(server);
    expect(spec?.name).toBe(name);
    if (spec?.kind !== 'own') throw new Error('It is not one that we connect to.');
    const client = new Redis({ ...spec.target(), lazyConnect: true });
    expect(`${client.options.host}:${client.options.port}`).toBe(name);
    expect(client.options.password ?? null).toBe(
      server.includes('secret') ? 'secret' : server.includes('p%40') ? 'p@ss/word%' : null,
    );
    expect(client.options.tls !== undefined).toBe(server.startsWith('rediss'));
  });
});

const settingsOfServer = (server: string): Settings['shards'][number] => toSettings({ servers: server }).shards[0]!;

describe('the options of a call', () => {
  const signal = new AbortController().signal;
  const module = settingsOf({ wait: '7s', maxRetries: 4, fencing: true });

  it.each<[keyof AcquireOptions, keyof AcquireSettings, unknown, unknown, unknown]>([
    ['wait', 'waitMs', 7000, '2s', 2000],
    ['wait', 'waitMs', 7000, 0, 0],
    ['maxRetries', 'maxRetries', 4, 0, 0],
    ['signal', 'signal', undefined, signal, signal],
    ['minHold', 'minHoldMs', 0, '1m', 60_000],
    ['maxHold', 'maxHoldMs', Infinity, '2m', 120_000],
    ['fencing', 'fencing', true, false, false],
    ['tick', 'tick', undefined, new Date(1234), { atMs: 1234, periodMs: undefined }],
    ['tick', 'tick', undefined, 1234, { atMs: 1234, periodMs: undefined }],
    ['tick', 'tick', undefined, { atMs: 1234, periodMs: 60_000 }, { atMs: 1234, periodMs: 60_000 }],
    ['tick', 'tick', undefined, { everyMs: 950 }, { everyMs: 950 }],
    ['job', 'job', undefined, 'mine', 'mine'],
  ])('%s', (option, setting, byDefault, given, expected) => {
    for (const where of ['acquire', 'withLock'] as const) {
      expect(toAcquireSettings({}, where, module)[setting]).toBe(byDefault);
      expect(toAcquireSettings({ [option]: given }, where, module)[setting]).toEqual(expected);
    }
  });

  it('autoExtend: on in withLock, off in acquire, or as it is said', () => {
    for (const [where, byDefault] of [
      ['acquire', false],
      ['withLock', true],
    ] as const) {
      expect(toAcquireSettings({}, where, module).autoExtend).toBe(byDefault);
      for (const autoExtend of [true, false]) {
        expect(toAcquireSettings({ autoExtend }, where, module).autoExtend).toBe(autoExtend);
      }
    }
  });

  it('wait, maxRetries and fencing come from the module, where the call says nothing', () => {
    const other = settingsOf({ wait: '1s', maxRetries: 2, fencing: false });
    expect(toAcquireSettings({}, 'acquire', other)).toMatchObject({ waitMs: 1000, maxRetries: 2, fencing: false });
    expect(toAcquireSettings({ fencing: true }, 'acquire', other).fencing).toBe(true);
  });
});

describe('what a call asks of the servers', () => {
  const planOf = (
    options: WithLockCallOptions = {},
    of: RedlockOptions = {},
    key: string | string[] = 'k',
  ): ReturnType<typeof toAcquirePlan> =>
    toAcquirePlan(key, '5s', toAcquireSettings(options, 'withLock', settingsOf(of)), settingsOf(of));

  it('keyPrefix stands before every key', () => {
    expect(planOf({}, { keyPrefix: 'mine:' }).claims[0]?.key).toBe('mine:k');
    expect(planOf({ tick: 7 }, { keyPrefix: 'mine:' }).tick?.key).toBe('{mine:k}:tick:7');
    expect(planOf({}, { keyPrefix: '' }).claims[0]?.key).toBe('k');
  });

  it('P18: fencingRetention is in every claim that counts', () => {
    expect(planOf({}, { fencingRetention: '2h' }).claims[0]).toMatchObject({ retentionMs: 7_200_000 });
  });

  it('fencing: false counts nothing', () => {
    expect(planOf().claims[0]?.counter).toBe('{redlock:k}:fence');
    expect(planOf({ fencing: false }).claims[0]).toMatchObject({ counter: undefined });
    expect(planOf({}, { fencing: false }).claims[0]).toMatchObject({ counter: undefined });
  });

  it('several keys are claimed in one order, whatever order they were asked for in, and named in that', () => {
    const { keys, claims } = planOf({}, {}, ['b', 'a', 'b']);
    expect([keys, claims.map(({ key }) => key)]).toEqual([
      ['b', 'a'],
      ['redlock:a', 'redlock:b'],
    ]);
  });

  it('the least ttl is what the driftFactor leaves something of', () => {
    const of = (ttl: number, driftFactor: number): number =>
      toAcquirePlan('k', ttl, toAcquireSettings({}, 'acquire', settingsOf()), settingsOf({ driftFactor })).ttlMs;
    expect(of(4, 0.01)).toBe(4);
    expect(() => of(4, 0.5)).toThrow('ttl: takes at least 5 ms, because ttl x 0.5 + 2 ms are lost to drifting clocks');
    expect(of(5, 0.5)).toBe(5);
  });

  it('P8: a tick has a key of its own, one for each instant and each list of keys', () => {
    const keyOf = (tick: Date | number, key?: string | string[]): string | undefined =>
      planOf({ tick }, {}, key).tick?.key;
    expect(keyOf(new Date(5))).toBe(keyOf(5));
    expect(new Set([keyOf(5), keyOf(6), keyOf(5, 'l'), keyOf(5, ['k', 'l'])]).size).toBe(4);
    expect(keyOf(5, ['l', 'k'])).toBe(keyOf(5, ['k', 'l']));
    expect(planOf().tick).toBeUndefined();
  });

  it('P8: the ticks of two jobs with one key and two names are two, and the name of a job without one is its key', () => {
    const keyOf = (job?: string, tick: WithLockCallOptions['tick'] = 5): string | undefined =>
      planOf({ tick, ...(job !== undefined && { job }) }).tick?.key;
    expect(new Set([keyOf(), keyOf('one'), keyOf('two'), keyOf('one', 6), keyOf('one', { everyMs: 5 })]).size).toBe(5);
    expect(keyOf('k')).toBe(keyOf());
    for (const key of [keyOf(), keyOf('one'), keyOf('o}n{e'), keyOf('one', { everyMs: 5 })]) {
      expect(key).toMatch(/^\{redlock:k\}:tick:/);
    }
  });

  it.each<[string, WithLockCallOptions, number | undefined]>([
    ['a quarter of a period', { tick: { atMs: 5, periodMs: 40_000 }, wait: 1000 }, 10_000],
    ['a minute at most', { tick: { atMs: 5, periodMs: 86_400_000 }, wait: 1000 }, 60_000],
    ['a minute, where nothing follows', { tick: { atMs: 5, periodMs: Infinity }, wait: 1000 }, 60_000],
    ['never less than it waits', { tick: { atMs: 5, periodMs: 1000 }, wait: 7000 }, 7000],
    ['as long as it waits, where the period is unknown', { tick: 5, wait: 100 }, 100],
    ['a quarter of an interval', { tick: { everyMs: 1000 }, wait: 10 }, 250],
    ['no longer than it waits, without a tick', { wait: 10 }, undefined],
  ])('P8: a tick that meets no majority is tried for %s', (_, options, expected) => {
    expect(planOf(options).unreachableWaitMs).toBe(expected);
  });

  it('P8: an interval is held from the call on, concerns its own key only, and stays behind', () => {
    const { tick, tickHoldMs, claims } = planOf({ tick: { everyMs: 86_400_000 } });
    expect(tick).toMatchObject({ ttlMs: 86_400_000, quarantineMs: 86_400_000, staysBehind: true });
    expect([tickHoldMs, claims[0]?.quarantineMs]).toEqual([86_400_000, 5000]);
  });

  /** clockTolerance + the period + the longer of the wait and a quarter of the period + two node timeouts, and what clocks drift in that time. */
  it.each<[string, WithLockCallOptions, RedlockOptions, number, number]>([
    ['by default', {}, {}, (60_000 + 1000 + 10_000 + 1000) * 1.01, 71_000],
    ['with a short wait', { wait: 200 }, {}, (60_000 + 1000 + 250 + 1000) * 1.01, 61_250],
    ['with no wait', { wait: 0 }, {}, (60_000 + 1000 + 250 + 1000) * 1.01, 61_250],
    ['with another clockTolerance', { wait: 0 }, { clockTolerance: '5s' }, (5000 + 1000 + 250 + 1000) * 1.01, 6250],
    ['with another nodeTimeout', { wait: 0 }, { nodeTimeout: 50 }, (60_000 + 1000 + 250 + 100) * 1.01, 60_350],
    ['with another driftFactor', { wait: 0 }, { driftFactor: 0.1 }, (60_000 + 1000 + 250 + 1000) * 1.1, 61_250],
  ])(
    'P8: a tick stays claimed for as long as a replica may come with it: %s',
    (_, options, of, ttlMs, quarantineMs) => {
      const { tick } = planOf({ tick: { atMs: 5, periodMs: 1000 }, ...options }, of);
      expect(tick?.ttlMs).toBeCloseTo(ttlMs, 3);
      expect(tick?.quarantineMs).toBeCloseTo(quarantineMs, 3);
    },
  );

  it('P8: a tick without a period stays claimed for a day more', () => {
    const day = 24 * 3600 * 1000;
    expect(planOf({ tick: 5, wait: 0 }).tick?.ttlMs).toBeCloseTo((60_000 + day + 1000) * 1.01, 3);
    expect(planOf({ tick: new Date(5), wait: '2h' }).tick?.ttlMs).toBeCloseTo(
      (60_000 + day + 7_200_000 + 1000) * 1.01,
      3,
    );
  });
});
