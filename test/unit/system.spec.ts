import { describe, expect, it, jest } from '@jest/globals';
import { SystemClock } from '../../lib/system/system-clock.js';
import { SystemEntropy } from '../../lib/system/system-entropy.js';

describe('the system clock', () => {
  it('waits longer than the longest timer of Node, which would fire at once', () => {
    jest.useFakeTimers();
    try {
      const clock = new SystemClock();
      let fired = false;
      const days = 24 * 3600 * 1000;
      clock.after(30 * days, () => (fired = true));
      jest.advanceTimersByTime(29 * days);
      expect(fired).toBe(false);
      jest.advanceTimersByTime(2 * days);
      expect(fired).toBe(true);
      clock.after(30 * days, () => (fired = false))();
      jest.advanceTimersByTime(60 * days);
      expect(fired).toBe(true);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('goes on under the default fake timers of a test: what waits for no time needs none to pass', async () => {
    jest.useFakeTimers();
    try {
      const clock = new SystemClock();
      await new Promise<void>((resolve) => {
        clock.atEndOfTurn(() => {
          clock.afterInput(resolve);
        });
      });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the system entropy', () => {
  it('gives tokens with 128 random bits of the process, without white space, each once', () => {
    const instances = [new SystemEntropy(), new SystemEntropy()];
    const tokens = new Set(instances.flatMap((each) => Array.from({ length: 1000 }, () => each.token())));
    expect(tokens.size).toBe(2000);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-z]+\.[\w-]{22}\.[0-9a-z]+$/);
  });

  it('P7: gives tokens whose order is chance, so that no process leads every contest', () => {
    const entropy = new SystemEntropy();
    const tokens = Array.from({ length: 1000 }, () => entropy.token());
    const rising = tokens.filter((token, index) => index > 0 && token > tokens[index - 1]!).length;
    expect(rising).toBeGreaterThan(300);
    expect(rising).toBeLessThan(700);
  });
});
