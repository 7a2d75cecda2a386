import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Poller } from '../../../lib/dashboard/poller.js';

describe('the poller', () => {
  let startedAt: number[];
  let takesMs: number;
  let poller: Poller;
  beforeEach(() => {
    jest.useFakeTimers();
    startedAt = [];
    takesMs = 0;
    const beginning = performance.now();
    poller = new Poller(1000, () => {
      startedAt.push(Math.round(performance.now() - beginning));
      return takesMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, takesMs));
    });
  });
  afterEach(() => {
    poller.stop();
    jest.useRealTimers();
  });

  const pass = (passMs: number): Promise<void> => jest.advanceTimersByTimeAsync(passMs);

  it('reads at once, and again after its time', async () => {
    poller.start();
    await pass(3500);
    expect(startedAt).toEqual([0, 1000, 2000, 3000]);
  });

  it('rests nine times as long as a reading takes: what is slow does not keep the servers busy', async () => {
    takesMs = 2000;
    poller.start();
    await pass(41_000);
    expect(startedAt).toEqual([0, 20_000, 40_000]);
  });

  it('reads soon when something has happened, and not again for each time that it is told so', async () => {
    poller.start();
    await pass(600);
    for (let time = 0; time < 100; time++) poller.hurry();
    await pass(1);
    expect(startedAt).toEqual([0, 600]);
    for (let time = 0; time < 100; time++) {
      poller.hurry();
      await pass(10);
    }
    expect(startedAt).toEqual([0, 600, 850, 1100, 1350, 1600]);
  });

  it('reads once more after a reading during which something has happened', async () => {
    takesMs = 50;
    poller.start();
    await pass(20);
    poller.hurry();
    await pass(400);
    expect(startedAt).toEqual([0, 250]);
  });

  it('reads nothing when it is stopped, also where it is told to hurry or is stopped during a reading', async () => {
    takesMs = 100;
    poller.start();
    await pass(50);
    poller.stop();
    poller.hurry();
    await pass(10_000);
    expect(startedAt).toEqual([0]);
    poller.hurry();
    await pass(10_000);
    expect(startedAt).toEqual([0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('never reads twice at a time, also where it is stopped and started during a reading', async () => {
    takesMs = 5000;
    poller.start();
    await pass(1000);
    poller.stop();
    poller.start();
    await pass(3000);
    expect(startedAt).toEqual([0]);
    await pass(100_000);
    expect(startedAt[1]).toBe(50_000);
  });
});
