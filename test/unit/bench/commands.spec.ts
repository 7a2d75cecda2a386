import { describe, expect, it } from '@jest/globals';
import { CommandCounter } from '../../../bench/jobs/commands.js';

const TWO = '*2\r\n$3\r\nGET\r\n$5\r\nä*1\r\r\n*1\r\n$4\r\nPING\r\n';

describe('the counter of commands', () => {
  it('counts commands and not what looks like one in an argument', () => {
    const counter = new CommandCounter();
    counter.add(TWO);
    expect(counter.count).toBe(2);
  });

  it('counts the same wherever the bytes are cut', () => {
    const bytes = Buffer.from(TWO);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const counter = new CommandCounter();
      counter.add(bytes.subarray(0, cut));
      counter.add(bytes.subarray(cut));
      expect({ cut, count: counter.count }).toEqual({ cut, count: 2 });
    }
  });

  it('says so when it has lost its place', () => {
    expect(() => new CommandCounter().add('GET a\r\n')).toThrow('where a command or its argument begins');
  });
});
