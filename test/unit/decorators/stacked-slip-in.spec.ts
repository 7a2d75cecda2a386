import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithLock } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

/** What runs under the lock "stock", and how many at once. */
class Section {
  inside = 0;
  most = 0;
  async pass(ms: number): Promise<void> {
    this.most = Math.max(this.most, ++this.inside);
    await sleep(ms);
    this.inside--;
  }
}

async function boot<T extends object>(type: new () => T): Promise<{ host: T; close: () => Promise<void> }> {
  const app = await Test.createTestingModule({
    imports: [RedlockTestingModule.forRoot()],
    providers: [type],
  }).compile();
  await app.init();
  return { host: app.get(type), close: () => app.close() };
}

describe('P1: a timer that is started under a lock does not slip in', () => {
  it('where the method has two @WithLock', async () => {
    const stock = new Section();
    const others: Promise<void>[] = [];
    @Injectable()
    class Orders {
      @WithLock((id: string) => `order:${id}`, '5s')
      @WithLock('stock', '5s')
      async book(id: string): Promise<void> {
        if (id === '1') others.push(sleep(10).then(() => this.book('2')));
        await stock.pass(100);
      }
    }
    const { host, close } = await boot(Orders);
    await host.book('1');
    await Promise.all(others);
    await close();
    expect(stock.most).toBe(1);
  });

  it('where the method that it overrides has one, too', async () => {
    const stock = new Section();
    const others: Promise<void>[] = [];
    class Base {
      @WithLock('stock', '5s')
      async book(_id: string): Promise<void> {
        await stock.pass(100);
      }
    }
    @Injectable()
    class Orders extends Base {
      @WithLock((id: string) => `order:${id}`, '5s')
      override async book(id: string): Promise<void> {
        await super.book(id);
      }
    }
    const { host, close } = await boot(Orders);
    const original = stock.pass.bind(stock);
    stock.pass = async (ms) => {
      if (others.length === 0) others.push(sleep(10).then(() => host.book('2')));
      await original(ms);
    };
    await host.book('1');
    await Promise.all(others);
    await close();
    expect(stock.most).toBe(1);
  });

  it('where the method has one @WithLock', async () => {
    const stock = new Section();
    const others: Promise<void>[] = [];
    @Injectable()
    class Orders {
      @WithLock('stock', '5s')
      async book(id: string): Promise<void> {
        if (id === '1') others.push(sleep(10).then(() => this.book('2')));
        await stock.pass(100);
      }
    }
    const { host, close } = await boot(Orders);
    await host.book('1');
    await Promise.all(others);
    await close();
    expect(stock.most).toBe(1);
  });
});
