import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { SystemClock } from '../../lib/system/system-clock.js';

describe('the clock of a process whose timers a test has faked before the package is loaded', () => {
  let clock: SystemClock;
  beforeAll(async () => {
    jest.useFakeTimers();
    const { SystemClock: Fresh } = await import('../../lib/system/system-clock.js');
    clock = new Fresh();
  });
  afterAll(() => {
    jest.useRealTimers();
  });

  it('goes on without time being advanced, but for what waits for time', async () => {
    await new Promise<void>((resolve) => {
      clock.atEndOfTurn(resolve);
    });
    await new Promise<void>((resolve) => {
      clock.afterInput(resolve);
    });
    let isOver = false;
    clock.after(1000, () => (isOver = true));
    expect(isOver).toBe(false);
    jest.advanceTimersByTime(1000);
    expect(isOver).toBe(true);
  });
});
