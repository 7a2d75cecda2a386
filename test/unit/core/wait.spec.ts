import { describe, expect, it } from '@jest/globals';
import { withinMs } from '../../../lib/core/wait.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** Its input is read when the test says so. */
class ClockWithInput extends VirtualClock {
  readInput: () => void = () => undefined;

  override afterInput(callback: () => void): void {
    this.readInput = callback;
  }
}

describe('P4: an answer that is waited for within a time', () => {
  it('counts where it lies unread after a stall of this process', async () => {
    const clock = new ClockWithInput();
    let answer: (value: string) => void = () => undefined;
    const answered = withinMs(clock, new Promise<string>((resolve) => (answer = resolve)), 100);
    clock.stall(500);
    await clock.advance(0);
    answer('here');
    await clock.advance(0);
    clock.readInput();
    expect(await answered).toBe('here');
  });

  it('is missing where nothing has come by then', async () => {
    const clock = new ClockWithInput();
    const answered = withinMs(clock, new Promise<string>(() => undefined), 100);
    await clock.advance(100);
    clock.readInput();
    expect(await answered).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
