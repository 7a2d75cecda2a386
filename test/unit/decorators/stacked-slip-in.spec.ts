import { expect, describe, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { setTimeout as pass } from 'node:timers/promises';
import { WithLock } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

/** Orders of which each works on the stock for a while. The first starts a timer that makes the second, as a call of its own. */
abstract class Stock {
  most = 0;
  second: Promise<void> | undefined;
  #atOnce = 0;

  abstract book(id: string): Promise<void>;

  protected async take(): Promise<void> {
    this.second ??= pass(10).then(() => this.book('2'));
    this.most = Math.max(this.most, ++this.#atOnce);
    await pass(100);
    this.#atOnce--;
  }
}

@Injectable()
class OneLock extends Stock {
  @WithLock('stock', '5s')
  async book(_: string): Promise<void> {
    await this.take();
  }
}

@Injectable()
class TwoLocks extends Stock {
  @WithLock((id: string) => `order:${id}`, '5s')
  @WithLock('stock', '5s')
  async book(_: string): Promise<void> {
    await this.take();
  }
}

@Injectable()
class Override extends OneLock {
  @WithLock((id: string) => `order:${id}`, '5s')
  override async book(id: string): Promise<void> {
    await super.book(id);
  }
}

describe('P1: a timer that is started under a lock does not slip in', () => {
  it.each([
    ['has one @WithLock', OneLock],
    ['has two', TwoLocks],
    ['calls one that it overrides, and that has one, too', Override],
  ])('where the method %s', async (_, type) => {
    const app = await Test.createTestingModule({
      imports: [RedlockTestingModule.forRoot()],
      providers: [type],
    }).compile();
    await app.init();
    const host = app.get<Stock>(type);
    await host.book('1');
    await host.second;
    expect(host.most).toBe(1);
    await app.close();
  });
});
