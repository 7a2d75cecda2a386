import { describe, expect, it } from '@jest/globals';
import { CONTESTANT_NAMES, runsOn } from '../../../bench/contestants/index.js';
import { FULL, parseOptions, QUICK } from '../../../bench/options.js';
import { SCENARIOS } from '../../../bench/scenarios/index.js';

const NAMES = SCENARIOS.map(({ name }) => name);
const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(args, NAMES);

describe('the options of the benchmark', () => {
  it('measure everything on five servers by default', () => {
    const everything = { plan: FULL, servers: [5], only: [], contestants: CONTESTANT_NAMES, help: false };
    expect(parse()).toMatchObject(everything);
  });

  it('take lists, with commas and more than once', () => {
    expect(parse('--servers', '1,3,5', '--only', 'alone,64', '--only', 'kept')).toMatchObject({
      servers: [1, 3, 5],
      only: ['alone', '64', 'kept'],
    });
  });

  it('--quick measures less, in as many rounds as --rounds says', () => {
    expect(parse('--quick').plan).toEqual(QUICK);
    expect(parse('--quick', '--rounds', '9').plan).toEqual({ ...QUICK, rounds: 9 });
  });

  it('plain ioredis is always among the contestants, because the others are compared with it', () => {
    expect(parse('--contestants', 'redlock,acquire').contestants).toEqual(['raw', 'acquire', 'redlock']);
  });

  it.each([
    [['--servers', '0'], /--servers takes whole numbers from 1, not '0'/],
    [['--rounds', 'many'], /--rounds takes whole numbers from 1, not 'many'/],
    [['--only', 'alone,nothing'], /--only takes alone, .*'nothing' is none of these/],
    [['--contestants', 'zookeeper'], /--contestants takes raw, .*'zookeeper' is none of these/],
    [['--fast'], /--fast/],
  ])('%j is refused with what it takes', (args, sentence) => {
    expect(() => parse(...args)).toThrow(sentence);
  });

  it('a library that needs a later Node is told from the others', () => {
    expect(runsOn('redlock-universal', 20)).toBe(false);
    expect(runsOn('redlock-universal', 22)).toBe(true);
    expect(runsOn('redlock', 20)).toBe(true);
  });

  it('each scenario has a name of its own', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });
});
