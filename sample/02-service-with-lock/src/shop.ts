import { Injectable } from '@nestjs/common';
import { RedlockService, WithLock } from 'redlock-nestjs';
import { stock } from './stock.js';

@Injectable()
export class Shop {
  constructor(private readonly redlock: RedlockService) {}

  /** Reads, thinks and writes. Two calls at once both read the same number, and sell the same piece. */
  async sellUnlocked(item: string): Promise<boolean> {
    const left = await stock.read(item);
    if (left === 0) return false;
    await stock.write(item, left - 1);
    return true;
  }

  /** Waits up to 10 s for the lock of this item. Other items are sold meanwhile. */
  async sell(item: string): Promise<boolean> {
    return await this.redlock.withLock(`item:${item}`, '5s', () => this.sellUnlocked(item), { wait: '10s' });
  }

  /** Both items are one lock, so two opposite moves cannot wait for each other. */
  async move(from: string, to: string): Promise<void> {
    await this.redlock.withLock([`item:${from}`, `item:${to}`], '5s', async ({ signal }) => {
      const [source, target] = [await stock.read(from), await stock.read(to)];
      signal.throwIfAborted(); // The lock was lost, so another replica may be writing now.
      await stock.write(from, 0);
      await stock.write(to, source + target);
    });
  }

  /** The same as a decorator. While one replica counts, the others do not: their calls return undefined at once. */
  @WithLock((item: string) => `item:${item}`, '5s', { onContended: 'skip' })
  async count(item: string): Promise<number | undefined> {
    return await stock.read(item);
  }
}
