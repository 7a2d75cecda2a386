import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeText,
  EMPTY_REGISTER,
  LONGEST_REGISTER,
  MOST_RUNS,
  parseRegister,
  parseRun,
  pauseWords,
  registerLifeMs,
  runOf,
  runWords,
  writeRegister,
  type Register,
  type RegisterRun,
} from '../../../lib/core/register.js';

const MOST = 9e15 - 1;
const numbers = fc.oneof(fc.nat(100), fc.maxSafeNat()).filter((number) => number <= MOST);
const tokens = fc.string({ minLength: 1, maxLength: 50 }).filter((token) => /^[!-~]+$/.test(token));
/** Short enough to be kept as they are, of whole characters. */
const texts = fc.string({ unit: 'binary', maxLength: 16 }).map((text) => text.replace(/\p{Surrogate}/gu, '?'));
const runs: fc.Arbitrary<RegisterRun> = fc.record({
  token: tokens,
  fence: numbers,
  trigger: fc.constantFrom('schedule', 'manual', 'catch-up', 'again'),
  tickMs: numbers,
  startedAtMs: numbers,
  endedAtMs: numbers,
  outcome: fc.constantFrom('running', 'succeeded', 'failed', 'lost'),
  owner: texts,
  error: texts.map((text) => text || undefined),
});
const registers: fc.Arbitrary<Register> = fc.record({
  version: numbers,
  until: fc.oneof(numbers, fc.constantFrom('open' as const, undefined)),
  coveredMs: numbers,
  reason: texts,
  runs: fc.array(runs, { maxLength: MOST_RUNS }),
});

describe('the text of a register', () => {
  it('says all that is in it, in ASCII and one line a run', () => {
    fc.assert(
      fc.property(registers, (register) => {
        const text = writeRegister(register);
        expect(text).toMatch(/^([!-~]+( [!-~]+)*\n)+$/);
        expect(text.split('\n')).toHaveLength(register.runs.length + 2);
        expect(parseRegister(text)).toEqual(register);
      }),
    );
  });

  it('has room for all that may be in it: texts are cut, and numbers are kept within what a script can count with', () => {
    const any = fc.string({ unit: 'binary', maxLength: 1000 });
    const all = fc.oneof(numbers, fc.double());
    const longest = fc.record({ run: runs, owner: any, error: any, reason: any, number: all });
    fc.assert(
      fc.property(longest, ({ run, owner, error, reason, number }) => {
        const long = {
          ...run,
          token: 't'.repeat(50),
          tickMs: number,
          startedAtMs: MOST,
          endedAtMs: MOST,
          owner,
          error,
        };
        const register = { version: MOST, until: MOST, coveredMs: MOST, reason, runs: Array(20).fill(long) };
        const text = writeRegister(register);
        expect(text.length).toBeLessThanOrEqual(LONGEST_REGISTER);
        const read = parseRegister(text);
        expect(read.runs).toHaveLength(20);
        for (const [kept, full] of [
          [read.reason, reason],
          [read.runs[0]?.owner, owner],
          [read.runs[0]?.error, error],
        ]) {
          const plain = (full ?? '').replace(/\p{Surrogate}/gu, '\ufffd');
          expect(plain.startsWith(kept ?? '')).toBe(true);
        }
      }),
    );
  });

  it('keeps 200 characters of an error, and 100 of an owner', () => {
    const run = { ...runOf('o'.repeat(101), { trigger: 'manual', tickMs: 0, startedAtMs: 1 }), error: 'e'.repeat(201) };
    const read = parseRun(`t 1 ${runWords(run)}`);
    expect([read?.owner, read?.error]).toEqual(['o'.repeat(100), 'e'.repeat(200)]);
  });

  it('tells an empty text from a dash', () => {
    for (const reason of ['', '-', '--', '%', '%2D', ' ']) {
      expect(parseRegister(writeRegister({ ...EMPTY_REGISTER, version: 1, reason })).reason).toBe(reason);
    }
  });

  it('P7: may be anything that another program has written: it is read as far as it is one, and nothing is thrown', () => {
    const words = fc.constantFrom(
      ...[
        '0',
        '-',
        '*',
        '1',
        '9007199254740993',
        '9'.repeat(400),
        '-1',
        '1e3',
        's',
        'r',
        't',
        '%',
        '%zz',
        '%E0%80',
        '',
      ],
      ...[' ', ' ', ' ', '\n', '\n', '\0', 'ß', 't 1 s 2 3 4 r o -\n', '1 - 0 -\n', 'x'.repeat(800)],
    );
    const hostile = fc.array(words, { maxLength: 40 }).map((list) => list.join(''));
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        for (const each of [text, `1 - 0 -\n${text}`]) {
          const register = parseRegister(each);
          expect(register.runs.length).toBeLessThanOrEqual(MOST_RUNS);
          const { version, until, coveredMs } = register;
          const found = register.runs.flatMap((run) => [run.fence, run.tickMs, run.startedAtMs, run.endedAtMs]);
          for (const number of [version, coveredMs, typeof until === 'number' ? until : 0, ...found]) {
            expect(Number.isInteger(number) && number >= 0 && number <= MOST).toBe(true);
          }
        }
      }),
    );
    expect(parseRegister('')).toEqual(EMPTY_REGISTER);
  });

  it('P17: is read in no time, whatever its size', () => {
    const began = process.cpuUsage().user;
    for (const unit of ['x', '1', ' ', '\n', '1 ', 't 1 ', '%']) {
      parseRegister(unit.repeat(5_000_000));
      parseRegister(`1 - 0 -\n${unit.repeat(5_000_000)}`);
      decodeText(unit.repeat(100));
    }
    expect(process.cpuUsage().user - began).toBeLessThan(2_000_000);
  });
});

describe('a pause as it is sent', () => {
  it('has an end that a script can count with, or none', () => {
    expect(pauseWords({ version: 3, leftMs: 1.2, reason: 'a b' }, 7)).toBe('3 2 7 a%20b');
    for (const leftMs of [Infinity, 1e15, Number.MAX_VALUE]) {
      expect(pauseWords({ version: 3, leftMs, reason: '' }, 0)).toBe('3 * 0 -');
    }
    expect(pauseWords({ version: -1, leftMs: -5, reason: '' }, NaN)).toBe('0 0 0 -');
  });
});

describe('a register', () => {
  it('is remembered for 30 days, for as long after a pause, and for good while it is paused without an end', () => {
    const day = 24 * 3600 * 1000;
    expect([0, day, 370 * day, 371 * day, Infinity].map((leftMs) => registerLifeMs(leftMs) / day)).toEqual(
      [30, 31, 400, 401, Infinity], // As many as there are.
    );
  });
});
