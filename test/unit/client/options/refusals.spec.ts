import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import {
  InvalidOptionsError,
  RedlockModule,
  WithLock,
  type AcquireOptions,
  type RedlockModuleAsyncOptions,
  type RedlockServer,
  type WithLockOptions,
} from 'redlock-nestjs';
import { given, toAcquireSettings } from '../../../../lib/client/options/acquire-options.js';
import { toAcquirePlan } from '../../../../lib/client/options/acquire-plan.js';
import { toSettings } from '../../../../lib/client/options/module-options.js';

const OPTIONS =
  'servers, shards, keyPrefix, ttl, wait, maxRetries, retryDelay, maxRetryDelay, driftFactor, nodeTimeout, maxConcurrency, ' +
  'reconnectDelay, maxReconnectDelay, fencing, fencingRetention, reentrant, restartGuard, clockTolerance, shutdownTimeout, owner';
const CALL_OPTIONS = 'wait, maxRetries, signal, autoExtend, minHold, maxHold, fencing, tick, job';
const DURATION = "takes a number of milliseconds or a string such as '30s', at least";
const TOO_LONG = DURATION.replace('at least', 'at most 3153600000000 ms (100 years)');
const SERVER = "a redis:// or rediss:// URL, a 'host:port', ioredis options or an ioredis client";
const HOST = 'takes the mere name of a host in ioredis options, got a URL there';
const ENCODED = 'takes user and password percent-encoded in a URL: put each through encodeURIComponent()';
const KEY = 'key: takes a string that is not empty, or a list of such, got';
const TICK = 'tick: takes a valid Date, or a whole number of milliseconds since 1970, got';

/** As JavaScript, or a configuration that was read from somewhere, may call it. */
const forRoot = RedlockModule.forRoot.bind(RedlockModule) as (...args: unknown[]) => unknown;
const withOptions = (options: object) => (): unknown => forRoot('localhost:1', options);
const withServers = (servers: unknown) => (): unknown => forRoot({ servers });
const withShards = (shards: unknown) => (): unknown => forRoot({ shards });

const settings = toSettings({ servers: 'localhost:1' });
const plan =
  (key: unknown, ttl: unknown, options: object = {}) =>
  (): unknown =>
    toAcquirePlan(key, ttl, toAcquireSettings(options, 'acquire', settings), settings);
const callOf = (where: 'acquire' | 'withLock') => (options: object) => (): unknown =>
  toAcquireSettings(given(options as AcquireOptions), where, settings);
const acquire = callOf('acquire');
const decorator =
  (key: unknown, ttl: unknown, options: unknown = {}) =>
  (): unknown => {
    class Jobs {
      @WithLock(key as string, ttl as string, options as WithLockOptions)
      run(): Promise<void> {
        return Promise.resolve();
      }
    }
    return Jobs;
  };
/** The same, of the method that it is about. */
const OF_METHOD = '@WithLock cannot lock Jobs.run: ';

function errorOf(call: () => unknown): InvalidOptionsError {
  try {
    call();
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('P16: refuses by name, with what it got and what it takes', () => {
  describe.each<[string, [string, () => unknown, string][]]>([
    [
      'where the servers are',
      [
        ['nothing', () => forRoot(), 'servers: takes at least one server, or use shards instead; got neither'],
        ['null', () => forRoot(null), `servers: takes ${SERVER}, got null`],
        ['a number', () => forRoot(6379), `servers: takes ${SERVER}, got 6379`],
        ['a function', withServers(() => 'a:1'), `servers: takes ${SERVER}, got a function`],
        ['an empty list', () => forRoot([]), `servers: takes at least one server: ${SERVER}, got an empty list`],
        ['an empty text', () => forRoot(''), `servers: takes ${SERVER}, got an empty text`],
        ['a text after a last comma', () => forRoot(['a:1', ' ']), `servers[1]: takes ${SERVER}, got an empty text`],
        [
          'two in one text',
          () => forRoot('a:1,b:1'),
          `servers: takes ${SERVER}, got one text with a comma: several servers are a list`,
        ],
        [
          'two URLs in one',
          withServers('redis://a,redis://b'),
          `servers: takes ${SERVER}, got one text with a comma: several servers are a list`,
        ],
        ['a port of the moon', () => forRoot('a:99999'), `servers: takes ${SERVER}, got a text that is none of these`],
        ['another scheme', () => forRoot('amqp://a:1'), `servers: takes ${SERVER}, got a URL with another scheme`],
        ['no colon', () => forRoot('redis//a:1'), `servers: takes ${SERVER}, got a text that is none of these`],
        ['one slash', () => forRoot('redis:/a:1'), `servers: takes ${SERVER}, got a text that is none of these`],
        ['a semicolon', () => forRoot('redis;//a:1'), `servers: takes ${SERVER}, got a text that is none of these`],
        [
          'port 0',
          () => forRoot(['a:1', 'redis://b:0']),
          'servers[1].port: takes a whole number from 1 to 65535, got 0',
        ],
        [
          'a database with a name',
          () => forRoot('redis://a:1/locks'),
          'servers: takes the number of a database after the slash of a URL, got another text',
        ],
        ['no host', () => forRoot('redis://:6379'), `servers: takes ${SERVER}, got a text that is none of these`],
        [
          'one of several',
          () => forRoot(['a:1', 'b c']),
          `servers[1]: takes ${SERVER}, got a text that is none of these`,
        ],
        ['a list in a list', () => forRoot(['a:1', ['b:1']]), `servers[1]: takes ${SERVER}, got a list of 1`],
        [
          'an object of nothing',
          withServers({}),
          `servers: takes ${SERVER}, got an object without host, port, path and sentinels`,
        ],
        [
          'a URL as an option',
          withServers({ url: 'redis://a' }),
          `servers: takes ${SERVER}, got an object without host, port, path and sentinels`,
        ],
        [
          'a port that is a word',
          withServers({ host: 'a', port: 'x' }),
          'servers.port: takes a whole number from 1 to 65535, got a text',
        ],
        ['port 0', withServers({ port: 0 }), 'servers.port: takes a whole number from 1 to 65535, got 0'],
        [
          'port 65536',
          withServers(['a:1', { port: 65_536 }]),
          'servers[1].port: takes a whole number from 1 to 65535, got 65536',
        ],
        [
          'no sentinel',
          withServers({ sentinels: [] }),
          'servers.sentinels: takes a list of at least one { host, port }, got an empty list',
        ],
        [
          'db of no number',
          withServers({ host: 'a', db: NaN }),
          'servers.db: takes a whole number, at least 0, got NaN',
        ],
        ['db below 0', withServers({ host: 'a', db: -1 }), 'servers.db: takes a whole number, at least 0, got -1'],
        [
          'sentinels as texts',
          withServers({ sentinels: ['a:1'] }),
          'servers.sentinels: takes a list of at least one { host, port }, got a list of 1',
        ],
        ['both', withOptions({ shards: [['a:1']] }), 'shards: cannot be combined with servers: it takes either'],
        [
          'no shard',
          withShards([]),
          `shards: takes at least one shard, each of them a list of servers, got an empty list`,
        ],
        [
          'an empty shard',
          withShards([['a:1'], []]),
          `shards[1]: takes a list of at least one server: ${SERVER}, got an empty list`,
        ],
        [
          'a shard that is a server',
          withShards(['a:1']),
          `shards[0]: takes a list of at least one server: ${SERVER}, got a text`,
        ],
        [
          'a bad server of a shard',
          withShards([['a:1', 'http://b']]),
          `shards[0][1]: takes ${SERVER}, got a URL with another scheme`,
        ],
        [
          'a shard twice',
          withShards([
            ['a:1', 'b:1'],
            ['b:1', 'a:1'],
          ]),
          'shards[1]: has the same servers as shards[0] (b:1, a:1), and a shard is told by their names',
        ],
      ],
    ],
    [
      'the options of the module',
      [
        [
          'two objects',
          () => forRoot({ servers: 'a:1' }, { wait: 0 }),
          'options: stand in one object with the servers, or after them; got two objects',
        ],
        [
          'a text for all of them',
          () => toSettings('a:1' as never),
          "options: takes the options of RedlockModule, got 'a:1'",
        ],
        [
          'a list for all of them',
          () => toSettings(['a:1'] as never),
          'options: takes the options of RedlockModule, got a list of 1',
        ],
        [
          'nothing for all of them',
          () => toSettings(undefined as never),
          'options: takes the options of RedlockModule, got undefined',
        ],
        [
          'an unknown one',
          withOptions({ nodeTimeOut: 5 }),
          `nodeTimeOut: is not an option of RedlockModule, which takes ${OPTIONS}`,
        ],
        ['keyPrefix', withOptions({ keyPrefix: 5 }), 'keyPrefix: takes a string of at most 200 characters, got 5'],
        [
          'a long keyPrefix',
          withOptions({ keyPrefix: 'x'.repeat(201) }),
          `keyPrefix: takes a string of at most 200 characters, got '${'x'.repeat(60)}...'`,
        ],
        ['wait', withOptions({ wait: 'soon' }), `wait: ${DURATION} 0, got a text`],
        ['wait for ever', withOptions({ wait: Infinity }), `wait: ${TOO_LONG}, got Infinity`],
        ['wait below 0', withOptions({ wait: '-1s' }), `wait: ${DURATION} 0, got '-1s'`],
        ['half a retry', withOptions({ maxRetries: 0.5 }), 'maxRetries: takes a whole number, at least 0, got 0.5'],
        [
          'a retry as a text',
          withOptions({ maxRetries: '3' }),
          "maxRetries: takes a whole number, at least 0, got '3'",
        ],
        ['retryDelay of 0', withOptions({ retryDelay: 0 }), `retryDelay: ${DURATION} 1, got 0`],
        ['retryDelay as a list', withOptions({ retryDelay: [50, 100] }), `retryDelay: ${DURATION} 1, got a list of 2`],
        [
          'maxRetryDelay below retryDelay',
          withOptions({ retryDelay: 70, maxRetryDelay: 60 }),
          `maxRetryDelay: ${DURATION} 70, got 60`,
        ],
        ['driftFactor of 1', withOptions({ driftFactor: 1 }), 'driftFactor: takes a number from 0 to below 1, got 1'],
        [
          'driftFactor below 0',
          withOptions({ driftFactor: -0.01 }),
          'driftFactor: takes a number from 0 to below 1, got -0.01',
        ],
        [
          'driftFactor NaN',
          withOptions({ driftFactor: NaN }),
          'driftFactor: takes a number from 0 to below 1, got NaN',
        ],
        [
          'driftFactor as a text',
          withOptions({ driftFactor: '1%' }),
          "driftFactor: takes a number from 0 to below 1, got '1%'",
        ],
        ['nodeTimeout of 0', withOptions({ nodeTimeout: 0 }), `nodeTimeout: ${DURATION} 1, got 0`],
        ['nodeTimeout for ever', withOptions({ nodeTimeout: Infinity }), `nodeTimeout: ${TOO_LONG}, got Infinity`],
        [
          'maxConcurrency of 0',
          withOptions({ maxConcurrency: 0 }),
          'maxConcurrency: takes a whole number, at least 1, got 0',
        ],
        [
          'maxConcurrency without end',
          withOptions({ maxConcurrency: Infinity }),
          'maxConcurrency: takes a whole number, at least 1, got Infinity',
        ],
        ['reconnectDelay of 0', withOptions({ reconnectDelay: '0s' }), `reconnectDelay: ${DURATION} 1, got '0s'`],
        [
          'maxReconnectDelay below reconnectDelay',
          withOptions({ reconnectDelay: '5s', maxReconnectDelay: '4s' }),
          `maxReconnectDelay: ${DURATION} 5000, got '4s'`,
        ],
        ['fencing as a number', withOptions({ fencing: 1 }), 'fencing: takes true or false, got 1'],
        ['fencingRetention of 0', withOptions({ fencingRetention: 0 }), `fencingRetention: ${DURATION} 1, got 0`],
        [
          'fencingRetention for ever',
          withOptions({ fencingRetention: Infinity }),
          `fencingRetention: ${TOO_LONG}, got Infinity`,
        ],
        [
          'restartGuard as a flag',
          withOptions({ restartGuard: true }),
          "restartGuard: takes 'witnessed', 'strict' or 'off', got true",
        ],
        [
          'restartGuard in capitals',
          withOptions({ restartGuard: 'OFF' }),
          "restartGuard: takes 'witnessed', 'strict' or 'off', got 'OFF'",
        ],
        ['clockTolerance', withOptions({ clockTolerance: {} }), `clockTolerance: ${DURATION} 0, got an object`],
        [
          'clockTolerance of 200 years',
          withOptions({ clockTolerance: '200y' }),
          `clockTolerance: ${TOO_LONG}, got '200y'`,
        ],
        ['shutdownTimeout', withOptions({ shutdownTimeout: Infinity }), `shutdownTimeout: ${TOO_LONG}, got Infinity`],
        [
          'owner',
          withOptions({ owner: { name: 'me' } }),
          'owner: takes a string of at most 200 characters, got an object',
        ],
        ['isGlobal', withOptions({ isGlobal: 'no' }), "isGlobal: takes true or false, got 'no'"],
        ['an empty name', withOptions({ name: '' }), "name: takes the name of a RedlockModule, got ''"],
        [
          'a name of forRootAsync',
          () =>
            RedlockModule.forRootAsync({
              useFactory: () => ({ servers: 'a:1' }),
              name: 7,
            } as unknown as RedlockModuleAsyncOptions),
          'name: takes the name of a RedlockModule, got 7',
        ],
      ],
    ],
    [
      'keys and the ttl',
      [
        ['an empty key', plan('', '1s'), `${KEY} ''`],
        ['no key', plan(undefined, '1s'), `${KEY} undefined`],
        ['a number', plan(7, '1s'), `${KEY} 7`],
        ['an object', plan({ id: 7 }, '1s'), `${KEY} an object`],
        ['no keys', plan([], '1s'), 'key: takes a key or a list of at least one, got an empty list'],
        [
          'more keys than one call may lock',
          plan(
            Array.from({ length: 60_000 }, (_, index) => `row:${index}`),
            '1s',
          ),
          'key: takes at most 5000 keys in one call, got a list of 60000',
        ],
        ['an empty one of several', plan(['a', ''], '1s'), `${KEY} a list of 2`],
        [
          'a long one',
          plan('k'.repeat(513), '1s'),
          `key: takes at most 512 characters, got 513: "${'k'.repeat(40)}..."`,
        ],
        ['no ttl', plan('k', undefined), `ttl: ${DURATION} 1, got undefined`],
        ['a ttl of 0', plan('k', 0), `ttl: ${DURATION} 1, got 0`],
        ['a ttl of NaN', plan('k', NaN), `ttl: ${DURATION} 1, got NaN`],
        ['a ttl of Infinity', plan('k', Infinity), `ttl: ${TOO_LONG}, got Infinity`],
        ['a ttl below 0', plan('k', '-5s'), `ttl: ${DURATION} 1, got '-5s'`],
        ['a ttl that is none', plan('k', 'a while'), `ttl: ${DURATION} 1, got a text`],
        ['an empty ttl', plan('k', ''), `ttl: ${DURATION} 1, got ''`],
        [
          'a ttl below the drift',
          plan('k', 3),
          'ttl: takes at least 4 ms, because ttl x 0.01 + 2 ms are lost to drifting clocks, got 3',
        ],
      ],
    ],
    [
      'the options of a call',
      [
        ['null', acquire(null as never), 'options: takes an object, got null'],
        ['a duration instead', acquire(5000 as never), 'options: takes an object, got 5000'],
        [
          'an unknown one',
          acquire({ timeout: 5 }),
          `timeout: is not an option of acquire, which takes ${CALL_OPTIONS}`,
        ],
        [
          'one of withLock',
          acquire({ onContended: 'skip' }),
          `onContended: is not an option of acquire, which takes ${CALL_OPTIONS}`,
        ],
        [
          'one of @WithLock',
          callOf('withLock')({ perTick: true }),
          `perTick: is not an option of withLock, which takes ${CALL_OPTIONS}, onContended, reentrant`,
        ],
        ['wait', acquire({ wait: -1 }), `wait: ${DURATION} 0 or Infinity, got -1`],
        [
          'wait for ever',
          acquire({ wait: Infinity }),
          'wait: takes Infinity only together with a signal, because a wait needs an end',
        ],
        ['maxRetries', acquire({ maxRetries: -1 }), 'maxRetries: takes a whole number, at least 0, got -1'],
        ['signal', acquire({ signal: new AbortController() }), 'signal: takes an AbortSignal, got an object'],
        ['autoExtend', acquire({ autoExtend: 'yes' }), "autoExtend: takes true or false, got 'yes'"],
        ['minHold', acquire({ minHold: Infinity }), `minHold: ${TOO_LONG}, got Infinity`],
        ['maxHold', acquire({ maxHold: 0 }), `maxHold: ${DURATION} 1 or Infinity, got 0`],
        ['fencing', acquire({ fencing: 'on' }), "fencing: takes true or false, got 'on'"],
        ['a tick that is a text', acquire({ tick: '2030-01-01' }), `${TICK} '2030-01-01'`],
        ['a tick that is no Date', acquire({ tick: new Date(NaN) }), `${TICK} an object`],
        ['an interval of 0', acquire({ tick: { everyMs: 0 } }), `tick: ${DURATION} 1, got 0`],
        [
          'a job without a name',
          acquire({ job: '' }),
          "job: takes a string that is not empty, or a list of such, got ''",
        ],
        ['several names of a job', acquire({ job: ['a'] }), 'job: takes one key, got a list of 1'],
        ['half a tick', acquire({ tick: 0.5 }), `${TICK} 0.5`],
        ['a tick of null', acquire({ tick: null }), `${TICK} null`],
        ['a tick with a period of 0', acquire({ tick: { atMs: 1, periodMs: 0 } }), `${TICK} an object`],
        ['a tick with a period in words', acquire({ tick: { atMs: 1, periodMs: '1000' } }), `${TICK} an object`],
        ['a tick with a period of ages', acquire({ tick: { atMs: 1, periodMs: 1e15 } }), `${TICK} an object`],
        ['a tick with a Date in it', acquire({ tick: { atMs: new Date(), periodMs: 1 } }), `${TICK} an object`],
      ],
    ],
    [
      'a decorator',
      [
        ['an empty key', decorator('', '1s'), `${KEY} ''`],
        ['no keys', decorator([], '1s'), 'key: takes a key or a list of at least one, got an empty list'],
        ['a ttl that is none', decorator('k', 'x'), `ttl: ${DURATION} 1, got a text`],
        ['a ttl of 0', decorator('k', 0), `ttl: ${DURATION} 1, got 0`],
        ['options of null', decorator('k', '1s', null), 'options: takes an object, got null'],
        [
          'an unknown option',
          decorator('k', '1s', { ttl: 5 }),
          `ttl: is not an option of @WithLock, which takes ${CALL_OPTIONS}, onContended, reentrant, instance, perTick, catchUp, onCrash, spread, jitter`,
        ],
        [
          'onContended',
          decorator('k', '1s', { onContended: 'maybe' }),
          "onContended: takes 'skip' or 'wait' or 'throw', got 'maybe'",
        ],
        ['instance', decorator('k', '1s', { instance: '' }), "instance: takes the name of a RedlockModule, got ''"],
        ['perTick', decorator('k', '1s', { perTick: 'no' }), "perTick: takes true or false, got 'no'"],
        [
          'perTick and tick',
          decorator('k', '1s', { perTick: true, tick: 5 }),
          'tick: cannot be combined with perTick, which works it out',
        ],
        ['wait', decorator('k', '1s', { wait: 'x' }), `wait: ${DURATION} 0 or Infinity, got a text`],
        [
          'wait for ever',
          decorator('k', '1s', { wait: Infinity }),
          'wait: takes Infinity only together with a signal, because a wait needs an end',
        ],
        ['maxHold', decorator('k', '1s', { maxHold: -1 }), `maxHold: ${DURATION} 1 or Infinity, got -1`],
      ],
    ],
  ])('%s', (what, rows) => {
    it.each(rows)('%s', (_name, call, message) => {
      const error = errorOf(call);
      const parts = [
        `${error.option}: `,
        what === 'a decorator' ? OF_METHOD : '',
        message.slice(error.option.length + 2),
      ];
      expect(error.message).toBe(parts.join(''));
      expect(`${error.option}: `).toBe(message.slice(0, error.option.length + 2));
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS', keys: [], votes: [] });
    });
  });
});

describe('P16: a client that is none of ioredis', () => {
  it('is refused with the reason, as that of ioredis-mock is', () => {
    const mock = { status: 'ready', on: () => mock, connect: () => undefined, options: { host: 'h', port: 1 }, get: 1 };
    expect(errorOf(withServers(mock)).message).toMatch(
      /^servers: takes a client of ioredis, got one without call\(\), such as that of ioredis-mock.*RedlockTestingModule/,
    );
  });
});

describe('P16: the query of a URL', () => {
  it.each(['tls', 'enableOfflineQueue', 'autoResendUnfulfilledCommands', 'Connector', 'retryStrategy', 'host', 'path'])(
    'may not say %s',
    (name) => {
      const error = errorOf(() => forRoot(`rediss://h?${name}=x`));
      expect(error.message).toMatch(
        new RegExp(`^servers: takes only family, db, .* in the query of a URL, got "${name}"`),
      );
    },
  );

  it('may say what does no harm, and TLS goes by the scheme', () => {
    const target = (url: string): unknown => {
      const spec = toSettings({ servers: url }).shards[0]?.[0];
      return spec?.kind === 'own' ? spec.target() : undefined;
    };
    expect(target('redis://u:p%23w@[::1]:7000/3?family=6&connectionName=app&connectTimeout=100')).toEqual({
      ...{ host: '::1', port: 7000, username: 'u', password: 'p#w', db: 3 },
      ...{ family: 6, connectionName: 'app', connectTimeout: 100 },
    });
    expect(target('rediss://h?db=2&password=p')).toEqual({ host: 'h', port: 6379, tls: {}, db: 2, password: 'p' });
    expect(errorOf(() => forRoot('redis://h?db=secret')).message).toContain('a whole number for db');
  });
});

describe('P16: a password in a bad input is not printed', () => {
  const list = (server: unknown): RedlockServer[] => [server as RedlockServer];
  it.each<[string, () => unknown, string]>([
    ['a URL with another scheme', () => forRoot('http://user:secret@h'), 'a URL with another scheme'],
    ['a URL without a host', () => forRoot('redis://:secret@'), 'a text that is none of these'],
    ['a URL with a bad port', () => forRoot('redis://:secret@h:99999'), 'a text that is none of these'],
    ['a host:port with a password and a bad port', () => forRoot('user:secret@h:x'), 'a text that is none of these'],
    ['two URLs in one text', () => forRoot('redis://:secret@a,redis://:secret@b'), 'got one text with a comma'],
    ['an unescaped % in a password', () => forRoot('redis://:secret%zz@h'), ENCODED],
    ['an unescaped % in the name of an ACL user', () => forRoot('rediss://us%er:secret@h'), ENCODED],
    ['an unescaped / in a password', () => forRoot('redis://user:1234/secret@h:6379'), ENCODED],
    ['an unescaped # in a password', () => forRoot('redis://user:1234#secret@h:6379'), ENCODED],
    ['an unescaped ? in a password', () => forRoot('rediss://user:1234?secret@h:6379'), ENCODED],
    ['an unescaped / in a password without a user', () => forRoot('redis://:1/secret@h'), ENCODED],
    ['an unescaped # in a password without a user', () => forRoot('redis://:a#secret@h:6379'), ENCODED],
    ['an unescaped ? in a password without a user', () => forRoot('redis://:a?secret@h:6379'), ENCODED],
    ['a password in the place of a port', withServers({ host: 'h', port: 'secret' }), 'servers.port: takes a whole'],
    ['a password in the place of a duration', withOptions({ nodeTimeout: 'secret' }), 'got a text'],
    ['a password with digits there', withOptions({ shutdownTimeout: '1234secret' }), 'got a text'],
    ['a password in the place of a number', withOptions({ maxConcurrency: 'secret' }), 'got a text'],
    ['a password in the place of a factor', withOptions({ driftFactor: 'secret' }), 'got a text'],
    ['a password in the query', () => forRoot('redis://h?secret-1=2'), 'got another name'],
    ['a URL as host', withServers({ host: 'redis://:secret@h', port: 6379 }), HOST],
    ['a user and a password in the host', withServers(list({ host: 'user:secret@h' })), HOST],
    ['a URL as path', withServers({ path: 'rediss://:secret@h' }), HOST],
    [
      'a URL as host of a Sentinel',
      withServers({ sentinels: [{ host: 'redis://:secret@h', port: 1 }], name: 'm' }),
      HOST,
    ],
    [
      'Sentinels as texts',
      withServers({ sentinels: ['redis://:secret@h'], sentinelPassword: 'secret' }),
      'servers.sentinels',
    ],
    ['a text for the Sentinels', withServers({ sentinels: 'redis://:secret@h' }), 'got a text with an address'],
    ['options without an address', withServers({ username: 'u', password: 'secret' }), 'an object without host'],
    ['a URL instead of the options', () => toSettings('redis://:secret@h' as never), 'got a text with an address'],
    ['a list of URLs instead of the options', () => toSettings(list('redis://:secret@h') as never), 'a list of 1'],
    ['a URL as a duration', withOptions({ wait: 'redis://:secret@h' }), 'got a text'],
    ['a URL as a shard', withShards(['redis://:secret@h']), 'got a text'],
    ['a URL for all shards', withShards('redis://:secret@h'), 'got a text'],
    [
      'shards of the same servers',
      withShards([['redis://:secret@h'], ['redis://h']]),
      'the same servers as shards[0] (h:6379)',
    ],
    ['a bad port in options', withServers({ host: 'h', port: 0, password: 'secret' }), 'servers.port'],
    ['a client as an option of a call', acquire({ signal: { options: { password: 'secret' } } }), 'got an object'],
    ['a URL as onContended', decorator('k', '1s', { onContended: 'redis://:secret@h' }), 'got a text with an address'],
  ])('%s', (_, call, message) => {
    const error = errorOf(call);
    expect(error.message).toContain(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret@');
    for (const printed of [error.message, error.option, JSON.stringify(error)]) expect(printed).not.toContain('secret');
  });
});
