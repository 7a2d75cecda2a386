import { describe, expect, it } from '@jest/globals';
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
      '"a", "b" is locked by other-host:1 for another 1235 ms.',
      true,
      { owner: 'other-host:1', remainingMs: 1234.5, undecided: false },
    ],
    [
      LockContendedError,
      new LockContendedError(KEYS, holder, VOTES, 'contested'),
      'LOCK_CONTENDED',
      '"a", "b" was contested by other-host:1 until the time to wait was over.',
      true,
      { owner: 'other-host:1', undecided: true },
    ],
    [
      LockContendedError,
      new LockContendedError(KEYS, holder, VOTES, 'tick'),
      'LOCK_CONTENDED',
      'This tick of "a", "b" has been claimed by other-host:1.',
      true,
      { owner: 'other-host:1', undecided: false },
    ],
    [
      QuorumUnreachableError,
      new QuorumUnreachableError('acquire', KEYS, 1, VOTES),
      'QUORUM_UNREACHABLE',
      'Could not acquire "a", "b": 1 of 1 servers must take part and 1 cannot. two:1: connect ECONNREFUSED.',
      true,
      {},
    ],
    [
      QuorumUnreachableError,
      new QuorumUnreachableError('extend', KEYS, 5, VOTES),
      'QUORUM_UNREACHABLE',
      'Could not extend "a", "b": the answers of the servers came so late that the lock would have been worth nothing. two:1: connect ECONNREFUSED.',
      true,
      {},
    ],
    [
      LockLostError,
      new LockLostError(KEYS, 'expired', VOTES),
      'LOCK_LOST',
      `${LOST}has expired: its time was over, and no extension was confirmed before.`,
      true,
      { reason: 'expired' },
    ],
    [
      LockLostError,
      new LockLostError(KEYS, 'taken', VOTES),
      'LOCK_LOST',
      `${LOST}is lost: too many servers no longer have it. They have forgotten it, it was released by force, or somebody else has it.`,
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
        error: { name: type.name, code, message, keys: KEYS, votes: error.votes },
      });
      expect(JSON.stringify(error) + inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
      expect(error.stack).toContain(message);
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
});
