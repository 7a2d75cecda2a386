import { afterEach, describe, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { first, repeat } from 'rxjs';
import { RedlockEvents, RedlockService } from 'redlock-nestjs';
import { RedlockTestingModule } from 'redlock-nestjs/testing';

let app: TestingModule;
afterEach(() => app.close());

async function boot(): Promise<{ events: RedlockEvents; lockOnce: () => Promise<void> }> {
  app = await Test.createTestingModule({ imports: [RedlockTestingModule.forRoot()] }).compile();
  await app.init();
  const redlock = app.get(RedlockService);
  return { events: app.get(RedlockEvents), lockOnce: async () => await (await redlock.acquire('k', '5s')).release() };
}

describe('P5, P17: a listener', () => {
  it('that takes itself away and listens anew hears each event once', async () => {
    const { events, lockOnce } = await boot();
    events.on('acquired', () => undefined);
    let heard = 0;
    const listen = (): void => {
      const off = events.on('acquired', () => {
        off();
        if (++heard < 1000) listen();
      });
    };
    listen();
    await lockOnce();
    expect(heard).toBe(1);
  });

  it('by first() and repeat() of rxjs hears each event once', async () => {
    const { events, lockOnce } = await boot();
    events.on('acquired', () => undefined);
    let heard = 0;
    const subscription = events
      .observe()
      .pipe(first(), repeat(1000))
      .subscribe(() => heard++);
    await lockOnce();
    subscription.unsubscribe();
    expect(heard).toBeLessThan(10);
  });

  it('that returns what rejects is told of, also where that is no Promise', async () => {
    const { events, lockOnce } = await boot();
    const warned = new Promise((resolve) => events.on('warning', ({ code }) => resolve(code)));
    events.on('acquired', () => ({
      then: (_: unknown, reject: (error: Error) => void) => {
        reject(new Error('x'));
      },
    }));
    await lockOnce();
    expect(await warned).toBe('listener-failed');
  });
});
