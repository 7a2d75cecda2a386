import { describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import {
  InvalidOptionsError,
  LockContendedError,
  LockLostError,
  LockReleasedError,
  QuorumUnreachableError,
  RedlockError,
  RedlockShutdownError,
} from '../../../lib/core/errors/index.js';
import type { Holder } from '../../../lib/core/ports/lock-node.js';
import type { Vote } from '../../../lib/core/vote.js';

const holder: Holder = { key: 'redlock:job', token: 't', owner: 'other-host:1', fence: 7, remainingMs: 1234.5 };

/** A cause as ioredis makes them: with the command that has failed, and what refers back to itself. */
const cause = Object.assign(new Error('connect ECONNREFUSED'), { command: { name: 'auth', args: ['secret'] } });
Object.assign(cause, { itself: cause });

const VOTES: Vote[] = [
  { server: 'one:1', position: 0, outcome: 'denied', holder },
  { server: 'two:1', position: 1, outcome: 'failed', reason: 'unreachable', cause },
  { server: 'three:1', position: 2, outcome: 'granted', fence: 8 },
  { server: 'four:1', position: 3, outcome: 'unanswered' },
  { server: 'five:1', position: 4, outcome: 'taken', holder },
];
const REPORTS = [
  { server: 'one:1', outcome: 'denied', owner: 'other-host:1', remainingMs: 1234.5 },
  { server: 'two:1', outcome: 'failed', cause: 'connect ECONNREFUSED' },
  { server: 'three:1', outcome: 'granted' },
  { server: 'four:1', outcome: 'unanswered' },
  { server: 'five:1', outcome: 'taken', owner: 'other-host:1', remainingMs: 1234.5 },
];
const KEYS = ['a', 'b'];
const LOST = 'The lock on "a", "b" ';

describe('errors', () => {
  it.each<[new (...args: never[]) => RedlockError, RedlockError, string, string, boolean, object]>([
    [
      LockContendedError,
      new LockContendedError(KEYS, holder, VOTES, 'held'),
      'LOCK_CONTENDED',
      '"a", "b" is locked by other-host:1.',
      true,
      { owner: 'other-host:1', remainingMs: 1234.5, reason: 'locked', undecided: false },
    ],
    [
      LockContendedError,
      new LockContendedError(KEYS, holder, VOTES, 'contested'),
      'LOCK_CONTENDED',
      '"a", "b" was contested by other-host:1, and no process had a majority of the servers when the time to wait was over. Not all servers took part. two:1: connect ECONNREFUSED; not waited for: four:1.',
      true,
      { owner: 'other-host:1', remainingMs: 1234.5, reason: 'undecided', undecided: true },
    ],
    [
      LockContendedError,
      new LockContendedError(KEYS, holder, VOTES, 'tick'),
      'LOCK_CONTENDED',
      'This tick of "a", "b" has been claimed by other-host:1.',
      true,
      { owner: 'other-host:1', remainingMs: 1234.5, reason: 'already-ran', undecided: false },
    ],
    [
      QuorumUnreachableError,
      new QuorumUnreachableError('acquire', KEYS, 1, VOTES),
      'QUORUM_UNREACHABLE',
      'Could not acquire "a", "b": 1 of 1 servers must take part and 1 cannot. two:1: connect ECONNREFUSED; not waited for: four:1.',
      true,
      {},
    ],
    [
      QuorumUnreachableError,
      new QuorumUnreachableError('extend', KEYS, 5, VOTES),
      'QUORUM_UNREACHABLE',
      'Could not extend "a", "b": fewer than 3 of 5 servers confirmed the lock, and 1 did not have it any more. two:1: connect ECONNREFUSED; not waited for: four:1.',
      true,
      {},
    ],
    [
      LockLostError,
      new LockLostError(KEYS, 'expired', VOTES),
      'LOCK_LOST',
      `${LOST}has expired: its time was over, and no extension was confirmed before. The last extension: two:1: connect ECONNREFUSED; not waited for: four:1.`,
      true,
      { reason: 'expired' },
    ],
    [
      LockLostError,
      new LockLostError(KEYS, 'taken', VOTES),
      'LOCK_LOST',
      `${LOST}is lost: too many servers no longer have it. They have forgotten it, it was released by force, or another process has it.`,
      true,
      { reason: 'taken' },
    ],
    [
      LockLostError,
      new LockLostError(KEYS, 'shutdown'),
      'LOCK_LOST',
      `${LOST}was given up, because the application shuts down.`,
      false,
      { reason: 'shutdown' },
    ],
    [
      LockReleasedError,
      new LockReleasedError(KEYS, 'extend'),
      'LOCK_RELEASED',
      'Cannot extend "a", "b": this lock has been released.',
      false,
      {},
    ],
    [
      RedlockShutdownError,
      new RedlockShutdownError(KEYS),
      'SHUTDOWN',
      '"a", "b" cannot be locked any more: the application shuts down.',
      false,
      {},
    ],
  ])(
    '%p has its code, its keys and a vote of each server, and can be logged',
    (type, error, code, message, voted, more) => {
      expect(error).toMatchObject({ name: type.name, code, message, keys: KEYS, ...more });
      expect(error.votes).toEqual(voted ? REPORTS : []);
      for (const each of [
        LockContendedError,
        QuorumUnreachableError,
        LockLostError,
        LockReleasedError,
        InvalidOptionsError,
      ]) {
        expect(error instanceof each).toBe(type === (each as unknown));
      }
      expect([error instanceof RedlockError, error instanceof Error]).toEqual([true, true]);
      expect(JSON.parse(JSON.stringify({ error }))).toEqual({
        error: { name: type.name, code, message, keys: KEYS, votes: error.votes, ...more },
      });
      const everything = inspect(error, { depth: 9, showHidden: true, customInspect: false });
      expect(JSON.stringify(error) + everything).not.toContain('secret');
      expect(error.stack).toContain(message);
      expect([inspect(error), inspect({ error }, { colors: true })].join()).not.toMatch(/votes|keys: /);
      expect(inspect(error)).toBe(error.stack);
    },
  );

  it('InvalidOptionsError names the option, and has neither keys nor votes', () => {
    const error = new InvalidOptionsError('wait', 'takes this, got that');
    expect(error).toMatchObject({
      name: 'InvalidOptionsError',
      code: 'INVALID_OPTIONS',
      option: 'wait',
      keys: [],
      votes: [],
    });
    expect(error.message).toBe('wait: takes this, got that');
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: 'wait: takes this, got that',
    });
  });

  it('LockContendedError names no process where a server denies a tick that needs no run', () => {
    const covered = { ...holder, owner: '' };
    expect(new LockContendedError(KEYS, covered, [], 'tick').message).toBe(
      'This tick of "a", "b" needs no run any more.',
    );
    expect(new LockContendedError(KEYS, covered, [], 'contested').message).toBe(
      '"a", "b" was contested, and no process had a majority of the servers when the time to wait was over.',
    );
  });

  it('QuorumUnreachableError says what was missing where most servers took part', () => {
    const failed = VOTES.slice(1, 4);
    expect(new QuorumUnreachableError('extend', KEYS, 5, failed).message).toBe(
      'Could not extend "a", "b": fewer than 3 of 5 servers confirmed the lock. two:1: connect ECONNREFUSED; not waited for: four:1.',
    );
    expect(new QuorumUnreachableError('acquire', KEYS, 5, []).message).toBe(
      'Could not acquire "a", "b": a majority of the servers answered only after the lock\'s validity had ended.',
    );
  });

  it('keys are a copy: nobody changes them afterwards', () => {
    const keys = ['a'];
    const error = new LockReleasedError(keys, 'hold');
    keys.push('b');
    expect(error.keys).toEqual(['a']);
  });

  it('instanceof is not taken in by what merely looks like one', () => {
    for (const value of [null, undefined, 5, {}, new Error('LOCK_LOST'), { code: 'LOCK_LOST' }]) {
      expect((value as unknown) instanceof RedlockError).toBe(false);
      expect((value as unknown) instanceof LockLostError).toBe(false);
    }
  });

  it('are told apart by literals: a bundle that gives all classes other names, and a second copy of the package, change nothing', async () => {
    // Another copy, as the CommonJS build beside the ES module is one.
    jest.resetModules();
    const copy = await import('../../../lib/core/errors/index.js');
    expect(copy.LockLostError).not.toBe(LockLostError);
    const ours = [LockContendedError, LockLostError, LockReleasedError, QuorumUnreachableError] as const;
    const names = ours.map((type) => type.name);
    try {
      // What a minifier does: its names are short, and the same in different scopes.
      for (const type of ours) Object.defineProperty(type, 'name', { value: 'e', configurable: true });
      for (const { LockLostError: Lost } of [{ LockLostError }, copy]) {
        const error = new Lost(['a'], 'expired');
        expect(ours.filter((type) => error instanceof type)).toEqual([LockLostError]);
        expect(error).toBeInstanceOf(RedlockError);
        expect([error.name, error.stack?.split(':')[0]]).toEqual(['LockLostError', 'LockLostError']);
      }
    } finally {
      ours.forEach((type, index) => Object.defineProperty(type, 'name', { value: names[index], configurable: true }));
    }
  });

  it('a class of the user that extends one of ours is told by its identity', () => {
    class Mine extends LockLostError {}
    expect(new Mine(['a'], 'expired')).toBeInstanceOf(Mine);
    expect(new Mine(['a'], 'expired')).toBeInstanceOf(LockLostError);
    expect(new LockLostError(['a'], 'expired')).not.toBeInstanceOf(Mine);
  });

  it('messages name a few of many keys, on one line, and have nothing that is different each time', () => {
    const keys = ['one\nforged line', ...Array.from({ length: 59 }, (_, index) => `key-${index}`)];
    const foreign = { owner: 'something\u001b[31m', remainingMs: Infinity };
    const held = new LockContendedError(keys, foreign, [], 'held');
    expect(held.message).toBe(
      '"one\\nforged line", "key-0", "key-1" and 57 more (60 keys) is blocked by something\\u001b[31m: its key on the servers never expires. Delete that key, or call forceRelease().',
    );
    const busy = new Error(`ERR Error running script (call to f_${'0a'.repeat(20)}): BUSY`);
    const votes: Vote[] = [{ server: 'one:1', position: 0, outcome: 'failed', reason: 'refused', cause: busy }];
    const unreachable = new QuorumUnreachableError('acquire', ['a'], 1, votes);
    expect(JSON.stringify(unreachable)).not.toMatch(/[0-9a-f]{40}/);
    expect(unreachable.message).toContain('one:1: ERR Error running script (call to script): BUSY');
  });
});
