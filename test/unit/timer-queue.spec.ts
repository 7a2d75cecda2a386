import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TimerQueue } from '../../lib/system/timer-queue.js';

/** Calls back under fake timers, so that no test waits. */
function faked<T>(test: () => T): T {
  jest.useFakeTimers();
  try {
    return test();
  } finally {
    jest.useRealTimers();
  }
}

describe('the timer queue', () => {
  it('calls back each at its time, in the order of these times, but for what was cancelled', () => {
    const delays = fc.array(fc.record({ delayMs: fc.integer({ min: 0, max: 50 }), cancelled: fc.boolean() }));
    fc.assert(
      fc.property(delays, (timers) => {
        faked(() => {
          const queue = new TimerQueue();
          const startMs = performance.now();
          const fired: { index: number; atMs: number }[] = [];
          const cancels = timers.map(({ delayMs }, index) =>
            queue.after(delayMs, () => fired.push({ index, atMs: performance.now() - startMs }), true),
          );
          cancels.forEach((cancel, index) => {
            if (timers[index]!.cancelled) cancel();
          });
          jest.advanceTimersByTime(60);
          const kept = timers.flatMap(({ delayMs, cancelled }, index) => (cancelled ? [] : { index, delayMs }));
          expect(fired.map(({ index }) => index).sort((a, b) => a - b)).toEqual(kept.map(({ index }) => index));
          for (const { index, atMs } of fired) expect(atMs).toBe(Math.max(1, timers[index]!.delayMs));
          expect(fired.map(({ atMs }) => atMs)).toEqual(fired.map(({ atMs }) => atMs).sort((a, b) => a - b));
        });
      }),
    );
  });

  it('has one timer of Node for a thousand, and makes none for one that comes later than the next', () => {
    faked(() => {
      const queue = new TimerQueue();
      for (let index = 0; index < 1000; index++) queue.after(10 + index, () => undefined, true);
      expect(jest.getTimerCount()).toBe(1);
    });
    const made = { timers: 0 };
    const hook = createHook({ init: (_, type) => void (made.timers += type === 'Timeout' ? 1 : 0) }).enable();
    const queue = new TimerQueue();
    for (let index = 0; index < 1000; index++) queue.after(1000 + index, () => undefined, true)();
    hook.disable();
    expect(made.timers).toBe(1);
  });

  it('leaves no timer of Node behind where it was made for one', () => {
    faked(() => {
      const queue = new TimerQueue(true);
      queue.after(1000, () => undefined, true)();
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  it('goes on with the others when a callback throws', () => {
    faked(() => {
      const queue = new TimerQueue();
      let called = false;
      queue.after(
        5,
        () => {
          throw new Error('thrown on purpose');
        },
        true,
      );
      queue.after(5, () => (called = true), true);
      expect(() => jest.advanceTimersByTime(5)).toThrow('thrown on purpose');
      jest.advanceTimersByTime(1);
      expect(called).toBe(true);
    });
  });

  it('calls back outside of the async context of every call, so that none is kept alive by a timer', async () => {
    const storage = new AsyncLocalStorage<string>();
    const queue = new TimerQueue();
    const seen = await storage.run(
      'a call',
      () => new Promise((resolve) => queue.after(1, () => resolve(storage.getStore()), true)),
    );
    expect(seen).toBeUndefined();
  });

  it('P15: keeps the process alive only while a timer is pending that does', () => {
    const run = (code: string): { stdout: string; tookMs: number } => {
      const startMs = performance.now();
      const script = `import { TimerQueue } from './lib/system/timer-queue.ts'; const queue = new TimerQueue(); ${code}`;
      const flags = ['--no-warnings', '--import', './test/support/ts-loader.mjs', '--input-type=module'];
      const { stdout } = spawnSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8' });
      return { stdout, tookMs: performance.now() - startMs };
    };
    const fired = `() => console.log('fired')`;
    expect(run(`queue.after(20, ${fired}, true); queue.after(1e6, ${fired}, false);`).stdout).toBe('fired\n');
    expect(run(`queue.after(20, ${fired}, false);`).stdout).toBe('');
    const cancelled = run(
      `const cancel = queue.after(3e4, ${fired}, true); queue.after(4e4, ${fired}, false); cancel();`,
    );
    expect(cancelled.stdout).toBe('');
    expect(cancelled.tookMs).toBeLessThan(30_000);
  });
});
