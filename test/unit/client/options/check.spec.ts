import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { InvalidOptionsError } from '../../../../lib/core/errors/index.js';
import { toAcquireSettings, checkDecoratorOptions } from '../../../../lib/client/options/acquire-options.js';
import { toKeys, toMs, toTtlMs } from '../../../../lib/client/options/check.js';
import { toSettings } from '../../../../lib/client/options/module-options.js';
import type { RedlockModuleOptions } from '../../../../lib/interfaces/index.js';

const servers = 'redis://localhost:6379';
const defaults = { waitMs: 10_000, maxRetries: Infinity, fencing: true };

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionsError);
    return (error as Error).message;
  }
  throw new Error('It was accepted.');
}

describe('P16: a duration', () => {
  it.each([
    [250, 250],
    ['250', 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2 days', 172_800_000],
  ])('%p is %i ms', (value, expected) => {
    expect(toMs('wait', value)).toBe(expected);
  });

  it.each([NaN, Infinity, -1, '-1s', '', 'soon', '5 parsecs', null, {}, [], true, '9'.repeat(200), () => 1])(
    'refuses %p and names the option',
    (value) => {
      expect(messageOf(() => toMs('wait', value))).toMatch(
        /^wait: takes a number of milliseconds or a string such as '30s'/,
      );
    },
  );
});

describe('P16: a duration of more than 100 years', () => {
  it.each([1e300, '101y', 101 * 366 * 24 * 3_600_000])('is refused as too long: %p', (value) => {
    expect(messageOf(() => toMs('ttl', value))).toMatch(/^ttl: takes .* at most 3153600000000 ms \(100 years\)/);
  });
});

describe('P16: a ttl', () => {
  it.each([0, -5, NaN, Infinity, '0s', 'never', undefined])('refuses %p', (value) => {
    expect(messageOf(() => toTtlMs(value, 0.01))).toMatch(/^ttl: /);
  });

  it('refuses one that is shorter than the allowance for drift, with the numbers', () => {
    expect(messageOf(() => toTtlMs(3, 0.01))).toBe(
      'ttl: takes at least 4 ms, because ttl x 0.01 + 2 ms are lost to drifting clocks, got 3',
    );
    expect(toTtlMs(4, 0.01)).toBe(4);
  });
});

describe('P16: keys', () => {
  it('takes one or several, each once', () => {
    expect(toKeys('a')).toEqual(['a']);
    expect(toKeys(['b', 'a', 'b'])).toEqual(['b', 'a']);
  });

  it.each([[''], [[]], [['a', '']], [undefined], [null], [7], [['a', 7]], [{}]])('refuses %p', (value) => {
    expect(messageOf(() => toKeys(value))).toMatch(/^key: takes/);
  });

  it('refuses one of more than 512 characters, and does not print it all', () => {
    const message = messageOf(() => toKeys('x'.repeat(513)));
    expect(message).toMatch(/^key: takes at most 512 characters, got 513/);
    expect(message.length).toBeLessThan(150);
    expect(toKeys('x'.repeat(512))).toHaveLength(1);
  });
});

describe('P16: module options', () => {
  it('has the defaults of the contract', () => {
    expect(toSettings({ servers })).toMatchObject({
      keyPrefix: 'redlock:',
      waitMs: 10_000,
      maxRetries: Infinity,
      retryDelayMs: 50,
      maxRetryDelayMs: 1000,
      driftFactor: 0.01,
      nodeTimeoutMs: 500,
      maxConcurrency: 10,
      reconnectDelayMs: 300,
      maxReconnectDelayMs: 3000,
      clockToleranceMs: 60_000,
      shutdownTimeoutMs: 10_000,
      owner: expect.stringMatching(/^.+:\d+$/),
    });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no servers', { servers: undefined }, /^servers: takes at least one server/],
    ['both servers and shards', { servers, shards: [[servers]] }, /^shards: cannot be combined with servers/],
    ['an empty list of shards', { shards: [] }, /^shards: takes at least one shard, each .*got an empty list/],
    ['shards that are none', { shards: null }, /^shards: takes at least one shard, each of them a list .*got null/],
    ['shards that are a text', { shards: 'redis://:secret@h' }, /^shards: takes at least one shard, .*got a text$/],
    ['an empty shard', { shards: [[servers], []] }, /^shards\[1\]: takes a list of at least one .*got an empty list/],
    ['a shard that is one server', { shards: [servers, [servers]] }, /^shards\[0\]: takes a list of .*got a text$/],
    ['a shard that is an object', { shards: [[servers], { host: 'h' }] }, /^shards\[1\]: takes a list .*an object$/],
    ['a shard that is missing', { shards: new Array(2) }, /^shards\[0\]: takes a list of .*got undefined/],
    ['a number in a shard', { shards: [['a:1'], ['b:1', 7]] }, /^shards\[1\]\[1\]: takes a redis:\/\/.*got 7/],
    ['a list in a shard', { shards: [[['a:1']]] }, /^shards\[0\]\[0\]: takes a redis:\/\/.*got a list of 1/],
    ['the only server of a shard', { shards: [['a:1'], ['http://b']] }, /^shards\[1\]\[0\]: .*another scheme/],
    [
      'two shards of the same servers',
      { shards: [['a:1', 'b:1'], ['c:1'], ['redis://:secret@b:1', { host: 'a', port: 1 }]] },
      /^shards\[2\]: has the same servers as shards\[0\] \(b:1, a:1\), and a shard is told by their names$/,
    ],
    ['an empty list of servers', { servers: [] }, /^servers: .*got an empty list/],
    ['a server that is an empty object', { servers: {} }, /^servers: .*without host, port, path and sentinels/],
    ['a server that is a number', { servers: [6379] }, /^servers: takes a redis:\/\/.*got 6379/],
    ['a server that is nothing', { servers: [servers, null] }, /^servers\[1\]: .*got null/],
    ['another scheme', { servers: 'http://user:secret@localhost' }, /^servers: takes .*got a URL with another scheme/],
    ['an unknown option', { servers, nodeTimeOut: 5 }, /^nodeTimeOut: is not an option of RedlockModule/],
    ['a wait that is no duration', { servers, wait: 'long' }, /^wait: .*got a text$/],
    ['an endless wait for everybody', { servers, wait: Infinity }, /^wait: /],
    ['half a retry', { servers, maxRetries: 1.5 }, /^maxRetries: takes a whole number, at least 0, got 1.5/],
    ['a negative number of retries', { servers, maxRetries: -1 }, /^maxRetries: /],
    ['no delay between retries', { servers, retryDelay: 0 }, /^retryDelay: .*at least 1/],
    [
      'a highest delay below the first',
      { servers, retryDelay: 500, maxRetryDelay: 100 },
      /^maxRetryDelay: .*at least 500/,
    ],
    ['a negative drift', { servers, driftFactor: -0.1 }, /^driftFactor: takes a number from 0 to below 1/],
    ['a drift of everything', { servers, driftFactor: 1 }, /^driftFactor: /],
    ['a drift that is a text', { servers, driftFactor: '0.01' }, /^driftFactor: /],
    ['a node timeout of 0', { servers, nodeTimeout: 0 }, /^nodeTimeout: /],
    ['no round trips', { servers, maxConcurrency: 0 }, /^maxConcurrency: takes a whole number, at least 1/],
    ['no reconnect delay', { servers, reconnectDelay: 0 }, /^reconnectDelay: /],
    [
      'a longest reconnect delay below the first',
      { servers, reconnectDelay: 5000, maxReconnectDelay: 4000 },
      /^maxReconnectDelay: /,
    ],
    ['a clock tolerance that is no duration', { servers, clockTolerance: 'a bit' }, /^clockTolerance: /],
    ['a negative shutdown timeout', { servers, shutdownTimeout: -1 }, /^shutdownTimeout: /],
    ['an owner that is a number', { servers, owner: 7 }, /^owner: takes a string/],
    ['a prefix that is none', { servers, keyPrefix: null }, /^keyPrefix: takes a string|Cannot/],
  ])('refuses %s by name', (_, options, message) => {
    if ('keyPrefix' in options) options.keyPrefix = 5;
    expect(messageOf(() => toSettings(options as unknown as RedlockModuleOptions))).toMatch(message);
  });

  it('never prints a password', () => {
    for (const server of ['http://user:secret@localhost', 'redis://:secret@', { password: 'secret' }]) {
      for (const options of [{ servers: [server, null] }, { shards: [[server, null]] }, { shards: [server, null] }]) {
        expect(messageOf(() => toSettings(options as unknown as RedlockModuleOptions))).not.toContain('secret');
      }
    }
  });

  it.each([
    ['redis://:secret@redis.example:7000/2', 'redis.example:7000'],
    ['rediss://user:secret@redis.example', 'redis.example:6379'],
    ['localhost:7001', 'localhost:7001'],
    ['[::1]:7001', '[::1]:7001'],
    [{ host: 'h', port: 1, password: 'secret' }, 'h:1'],
    [{ path: '/run/redis.sock' }, '/run/redis.sock'],
    [{ sentinels: [{ host: 'a', port: 1 }], name: 'main' }, 'sentinel:main'],
  ])('calls the server %p by the name %s', (server, name) => {
    expect(
      toSettings({ servers: [server] })
        .shards.flat()
        .map((each) => each.name),
    ).toEqual([name]);
  });
});

describe('P16: the options of a call', () => {
  const settings = (options: object): unknown => toAcquireSettings(options, 'acquire', defaults);

  it('takes an endless wait only with a signal', () => {
    expect(messageOf(() => settings({ wait: Infinity }))).toMatch(/^wait: takes Infinity only together with a signal/);
    expect(settings({ wait: Infinity, signal: new AbortController().signal })).toMatchObject({ waitMs: Infinity });
  });

  it('extends by itself in withLock, and not in acquire', () => {
    expect(settings({})).toMatchObject({ autoExtend: false, waitMs: 10_000 });
    expect(toAcquireSettings({}, 'withLock', defaults)).toMatchObject({ autoExtend: true });
  });

  it.each([
    [{ wait: -1 }, /^wait: /],
    [{ maxRetries: 0.5 }, /^maxRetries: /],
    [{ signal: {} }, /^signal: takes an AbortSignal, got an object/],
    [{ autoExtend: 'yes' }, /^autoExtend: takes true or false, got 'yes'/],
    [{ minHold: 'a while' }, /^minHold: /],
    [{ tick: 'now' }, /^tick: /],
    [{ tick: new Date(NaN) }, /^tick: /],
    [{ tick: 1.5 }, /^tick: /],
    [{ tick: { atMs: 1, periodMs: 0 } }, /^tick: /],
    [{ tick: { atMs: 1, periodMs: 1e20 } }, /^tick: /],
    [{ onContended: 'skip' }, /^onContended: is not an option of acquire/],
    [{ timeout: 5 }, /^timeout: is not an option of acquire, which takes wait, maxRetries/],
  ])('refuses %p by name', (options, message) => {
    expect(messageOf(() => settings(options))).toMatch(message);
  });

  it.each([
    [{ instance: '' }, /^instance: /],
    [{ onContended: 'maybe' }, /^onContended: takes 'skip' or 'wait' or 'throw', got 'maybe'/],
    [{ perTick: 1 }, /^perTick: takes true or false/],
    [{ perTick: true, tick: 5 }, /^tick: cannot be combined with perTick/],
    [{ key: 'k' }, /^key: is not an option of @WithLock/],
  ])('refuses %p on a decorator by name', (options, message) => {
    expect(messageOf(() => checkDecoratorOptions(options as object))).toMatch(message);
  });
});

describe('a password', () => {
  it('is nowhere in what is printed of the settings', () => {
    const settings = toSettings({
      servers: ['redis://:secret@a', 'rediss://user:secret@b', { host: 'c', password: 'secret' }],
    });
    expect(inspect(settings, { depth: 20, showHidden: true })).not.toContain('secret');
    expect(JSON.stringify(settings)).not.toContain('secret');
  });
});
