import { describe, expect, it } from '@jest/globals';
import { MemoryChannels } from '../../../lib/testing/memory-channels.js';

describe('MemoryChannels', () => {
  const listener = (told: number[]): { onHearing: () => void; onReleased: (count: number) => void } => ({
    onHearing: () => undefined,
    onReleased: (count) => told.push(count),
  });

  it('P14: tells those who listen on the channel how many they are', () => {
    const [channels, told] = [new MemoryChannels(), [] as number[]];
    for (const channel of ['c', 'c', 'd']) channels.add(channel, listener(told));
    expect(channels.tell('c', (deliver) => deliver())).toBe(2);
    expect(channels.tell('nobody', (deliver) => deliver())).toBe(0);
    expect(told).toEqual([2, 2]);
  });

  it('tells nobody who has left before it was their turn, and those who come again', () => {
    const [channels, told] = [new MemoryChannels(), [] as number[]];
    const turns: (() => void)[] = [];
    const leave = channels.add('c', listener(told));
    channels.tell('c', (deliver) => turns.push(deliver));
    leave();
    for (const turn of turns) turn();
    expect(told).toEqual([]);
    expect(channels.tell('c', (deliver) => deliver())).toBe(0);

    channels.add('c', listener(told));
    leave(); // Harmless, also when others have come since.
    expect(channels.tell('c', (deliver) => deliver())).toBe(1);
    expect(told).toEqual([1]);
  });
});
