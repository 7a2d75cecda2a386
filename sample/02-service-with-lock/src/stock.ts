import { setTimeout as sleep } from 'node:timers/promises';

const items = new Map<string, number>();

/** Stands for a database without transactions, which all replicas share. */
export const stock = {
  async read(item: string): Promise<number> {
    await sleep(5);
    return items.get(item) ?? 0;
  },
  async write(item: string, count: number): Promise<void> {
    await sleep(5);
    items.set(item, count);
  },
};
